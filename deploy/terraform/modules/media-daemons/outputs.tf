output "autoscaling_group_name" {
  description = "The name of the autoscaling group."
  value       = aws_autoscaling_group.this.name
}

output "security_group_id" {
  description = "The daemons' security group, to let others reach them, such as Prometheus."
  value       = aws_security_group.this.id
}

output "role_name" {
  description = "The instances' role, to give them more permissions, such as sending their journal somewhere."
  value       = aws_iam_role.this.name
}

output "workers" {
  description = "The number of media workers of a daemon. Their media ports begin at rtc_port."
  value       = local.workers
}

output "private_zone_id" {
  description = "The id of the private zone that resolves the daemons' names inside the VPC."
  value       = aws_route53_zone.private.zone_id
}
