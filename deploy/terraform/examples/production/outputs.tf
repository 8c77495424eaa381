output "url" {
  description = "Where the HTTP API is: the SDK's `controlPlaneUrl`."
  value       = module.control_plane.url
}

output "autoscaling_group_name" {
  description = "The autoscaling group of the media daemons."
  value       = module.media_daemons.autoscaling_group_name
}

output "daemon_key_secret_arn" {
  description = "The secret with the key that media daemons outside AWS register with too."
  value       = module.control_plane.daemon_key_secret_arn
}
