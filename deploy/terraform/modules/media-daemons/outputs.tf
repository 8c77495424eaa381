output "autoscaling_group_name" {
  description = "The autoscaling group."
  value       = aws_autoscaling_group.this.name
}

output "security_group_id" {
  description = "The daemons' security group, for what else shall reach them, such as Prometheus."
  value       = aws_security_group.this.id
}

output "role_name" {
  description = "The instances' role, for what else they shall do, such as sending their journal somewhere."
  value       = aws_iam_role.this.name
}

output "workers" {
  description = "How many media workers a daemon has: media ports from rtc_port on."
  value       = local.workers
}

output "private_zone_id" {
  description = "The zone in which the VPC finds daemons."
  value       = aws_route53_zone.private.zone_id
}
