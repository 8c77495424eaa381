# How the private subnets reach the AWS services that the control plane uses. The one for DynamoDB costs nothing.

resource "aws_vpc_endpoint" "dynamodb" {
  vpc_id            = aws_vpc.this.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${data.aws_region.current.region}.dynamodb"
  route_table_ids   = [aws_route_table.private.id]
  tags              = merge(local.tags, { Name = "${var.name}-dynamodb" })
}

resource "aws_vpc_endpoint" "secretsmanager" {
  count = var.nat_gateway ? 0 : 1

  vpc_id              = aws_vpc.this.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${data.aws_region.current.region}.secretsmanager"
  subnet_ids          = [aws_subnet.private[var.availability_zones[0]].id]
  security_group_ids  = [aws_security_group.endpoint[0].id]
  private_dns_enabled = true
  tags                = merge(local.tags, { Name = "${var.name}-secretsmanager" })
}

resource "aws_security_group" "endpoint" {
  count = var.nat_gateway ? 0 : 1

  name        = "${var.name}-endpoint"
  description = "AWS Secrets Manager, for the VPC."
  vpc_id      = aws_vpc.this.id
  tags        = merge(local.tags, { Name = "${var.name}-endpoint" })
}

resource "aws_vpc_security_group_ingress_rule" "endpoint" {
  count = var.nat_gateway ? 0 : 1

  security_group_id = aws_security_group.endpoint[0].id
  description       = "HTTPS"
  cidr_ipv4         = var.cidr_block
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = local.tags
}
