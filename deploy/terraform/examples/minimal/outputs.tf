output "url" {
  description = "Where the HTTP API is: the SDK's `controlPlaneUrl`."
  value       = module.control_plane.url
}

output "access_token_secret_arn" {
  description = "The secret with what your application's backend signs access tokens with (HS256)."
  value       = module.control_plane.access_token_secret_arn
}

output "autoscaling_group_name" {
  description = "The autoscaling group of the media daemons."
  value       = module.media_daemons.autoscaling_group_name
}
