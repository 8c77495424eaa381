output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "cidr_block" {
  description = "The VPC's IPv4 network."
  value       = aws_vpc.this.cidr_block
}

output "public_subnet_ids" {
  description = "The subnets for media daemons, in the order of the availability zones."
  value       = [for zone in var.availability_zones : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "The subnets for the control plane, in the order of the availability zones."
  value       = [for zone in var.availability_zones : aws_subnet.private[zone].id]
}

output "reaches_internet" {
  description = "Whether the private subnets reach the internet."
  value       = var.nat_gateway
}
