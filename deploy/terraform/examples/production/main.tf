# What a service that people rely on needs: three zones, names of its own, your application's keys, alarms that reach
# somebody, and daemons that survive the loss of one.

data "aws_availability_zones" "available" {
  state = "available"
}

data "aws_route53_zone" "this" {
  name = var.zone
}

data "aws_caller_identity" "current" {}

module "network" {
  source = "../../modules/network"

  name               = var.name
  availability_zones = slice(data.aws_availability_zones.available.names, 0, 3)
  nat_gateway        = true
}

module "control_plane" {
  source = "../../modules/control-plane"

  name                = var.name
  bundle_directory    = var.bundle_directory
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.private_subnet_ids
  reaches_internet    = module.network.reaches_internet
  cors_origins        = var.cors_origins
  access_tokens       = { jwks_url = var.access_token_jwks_url }
  daemon_tls          = var.bare_metal
  domain              = { name = "rtc.${var.zone}", zone_id = data.aws_route53_zone.this.zone_id }
  memory_size         = 1024
  requests_per_second = 2000
  request_burst       = 4000
  log_retention_days  = 90
  alarm_topic_arns    = [aws_sns_topic.alarms.arn]
}

module "media_daemons" {
  source = "../../modules/media-daemons"

  name       = var.name
  vpc_id     = module.network.vpc_id
  subnet_ids = module.network.public_subnet_ids
  control_plane = {
    url                   = module.control_plane.url
    security_group_id     = module.control_plane.security_group_id
    daemon_key_secret_arn = module.control_plane.daemon_key_secret_arn
    metric_namespace      = module.control_plane.metric_namespace
  }
  domain           = "media.${var.zone}"
  zone_id          = data.aws_route53_zone.this.zone_id
  certificate_arn  = var.certificate_secret_arn
  package          = { bucket = aws_s3_object.package.bucket, key = aws_s3_object.package.key }
  architecture     = var.architecture
  instance_type    = var.architecture == "arm64" ? "c7gn.xlarge" : "c6in.xlarge"
  min_size         = 3
  max_size         = 30
  target_load      = 50
  drain_seconds    = 1800
  session_manager  = true
  alarm_topic_arns = [aws_sns_topic.alarms.arn]
  settings = {
    # Bits a second that the instance's network carries for long.
    MEDIA_DAEMON_MAX_NETWORK_BITRATE = "5000000000"
  }
}

resource "aws_sns_topic" "alarms" {
  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "alarms" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_s3_bucket" "packages" {
  bucket = "${var.name}-packages-${data.aws_caller_identity.current.account_id}"
}

resource "aws_s3_bucket_public_access_block" "packages" {
  bucket                  = aws_s3_bucket.packages.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Its key changes with what is in it, and replaces the daemons then.
resource "aws_s3_object" "package" {
  bucket = aws_s3_bucket.packages.id
  key    = "${filesha256(var.package_file)}/${basename(var.package_file)}"
  source = var.package_file
}
