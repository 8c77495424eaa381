# Media daemons on EC2: how each instance starts.

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "aws_ec2_instance_type" "this" {
  instance_type = var.instance_type
}

data "aws_ssm_parameter" "debian" {
  count = var.ami_id == null ? 1 : 0

  name = "/aws/service/debian/release/12/latest/${var.architecture == "arm64" ? "arm64" : "amd64"}"
}

locals {
  image            = var.ami_id == null ? nonsensitive(data.aws_ssm_parameter.debian[0].value) : var.ami_id
  region           = var.region == null ? data.aws_region.current.region : var.region
  workers          = data.aws_ec2_instance_type.this.default_vcpus
  launch_hook      = "start"
  termination_hook = "drain"
  group_arn        = "arn:${data.aws_partition.current.partition}:autoscaling:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:autoScalingGroup:*:autoScalingGroupName/${var.name}"

  # For mediasoup-instance, as lines of a shell script.
  instance_settings = {
    NAME              = var.name
    REGION            = local.region
    ZONE_ID           = var.zone_id
    PRIVATE_ZONE_ID   = aws_route53_zone.private.zone_id
    DOMAIN            = var.domain
    PACKAGE           = "s3://${var.package.bucket}/${var.package.key}"
    CERTIFICATE_ARN   = var.certificate_arn
    PORT              = var.port
    GRPC_PORT         = var.grpc_port
    RTC_PORT          = var.rtc_port
    WORKERS           = local.workers
    DAEMON_KEY_SECRET = var.control_plane.daemon_key_secret_arn
    CONTROL_PLANE     = var.control_plane.url
    DRAIN_SECONDS     = var.drain_seconds
    LAUNCH_HOOK       = local.launch_hook
    TERMINATION_HOOK  = local.termination_hook
  }

  user_data = templatefile("${path.module}/files/user-data.sh.tftpl", {
    instance_settings = base64encode(join("", [for name, value in local.instance_settings : "${name}='${value}'\n"]))
    daemon_settings   = base64encode(join("", [for name, value in var.settings : "${name}=${value}\n"]))
    script            = base64gzip(file("${path.module}/files/mediasoup-instance.sh"))
  })
}

# What the control plane resolves daemons' names with, to their addresses in the VPC.
resource "aws_route53_zone" "private" {
  name          = var.domain
  comment       = "Media daemons of ${var.name}, within the VPC."
  force_destroy = true
  tags          = var.tags

  vpc {
    vpc_id = var.vpc_id
  }
}

resource "aws_launch_template" "this" {
  name                   = var.name
  description            = "Media daemons of ${var.name}."
  image_id               = local.image
  instance_type          = var.instance_type
  update_default_version = true
  user_data              = base64encode(local.user_data)
  tags                   = var.tags

  iam_instance_profile {
    arn = aws_iam_instance_profile.this.arn
  }

  # Version 2 alone, and for the instance itself alone.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  network_interfaces {
    associate_public_ip_address = true
    delete_on_termination       = true
    security_groups             = [aws_security_group.this.id]
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = var.volume_size
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge({ Name = var.name }, var.tags)
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge({ Name = var.name }, var.tags)
  }

  lifecycle {
    precondition {
      condition     = contains(data.aws_ec2_instance_type.this.supported_architectures, var.architecture)
      error_message = "The instance type has another architecture than the package."
    }

    precondition {
      condition     = length(local.user_data) <= 16384
      error_message = "The settings are too long: the instance's user data has at most 16 KiB."
    }

    precondition {
      condition     = length(distinct([var.port, var.grpc_port])) == 2 && alltrue([for port in [var.port, var.grpc_port] : port < var.rtc_port || port >= var.rtc_port + local.workers])
      error_message = "Two servers would listen on one port: port, grpc_port and the media ports from rtc_port on."
    }
  }
}
