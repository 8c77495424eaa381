# The ports of a daemon, and no others.

resource "aws_security_group" "this" {
  name        = "${var.name}-media-daemon"
  description = "Media daemons of ${var.name}."
  vpc_id      = var.vpc_id
  tags        = merge({ Name = "${var.name}-media-daemon" }, var.tags)
}

resource "aws_vpc_security_group_ingress_rule" "websocket" {
  for_each = toset(var.client_cidr_blocks)

  security_group_id = aws_security_group.this.id
  description       = "WebSocket and HTTPS"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = var.port
  to_port           = var.port
  tags              = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "media" {
  for_each = {
    for pair in setproduct(["udp", "tcp"], var.client_cidr_blocks) : join(" ", pair) => { protocol = pair[0], network = pair[1] }
  }

  security_group_id = aws_security_group.this.id
  description       = "Media, one port a worker"
  cidr_ipv4         = each.value.network
  ip_protocol       = each.value.protocol
  from_port         = var.rtc_port
  to_port           = var.rtc_port + local.workers - 1
  tags              = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "grpc" {
  security_group_id            = aws_security_group.this.id
  description                  = "Commands of the control plane"
  referenced_security_group_id = var.control_plane.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = var.grpc_port
  to_port                      = var.grpc_port
  tags                         = var.tags
}

# Answers would pass without this rule, but each flow would be tracked, and an instance tracks only so many. AWS's own
# name, time and metadata servers need no rule.
resource "aws_vpc_security_group_egress_rule" "media" {
  security_group_id = aws_security_group.this.id
  description       = "Media"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "udp"
  from_port         = 0
  to_port           = 65535
  tags              = var.tags
}

resource "aws_vpc_security_group_egress_rule" "https" {
  for_each = { https = 443, http = 80 }

  security_group_id = aws_security_group.this.id
  description       = each.key == "https" ? "The control plane and AWS" : "Debian's packages"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  tags              = var.tags
}
