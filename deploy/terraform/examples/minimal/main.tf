# The least that works: one small daemon, which more join under load, and the API under API Gateway's own name.

data "aws_availability_zones" "available" {
  state = "available"
}

data "aws_route53_zone" "this" {
  name = var.zone
}

data "aws_caller_identity" "current" {}

locals {
  domain = "media.${var.zone}"
}

module "network" {
  source = "../../modules/network"

  name               = var.name
  availability_zones = slice(data.aws_availability_zones.available.names, 0, 2)
}

module "control_plane" {
  source = "../../modules/control-plane"

  name                = var.name
  bundle_directory    = var.bundle_directory
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.private_subnet_ids
  cors_origins        = var.cors_origins
  deletion_protection = false
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
  domain          = local.domain
  zone_id         = data.aws_route53_zone.this.zone_id
  certificate_arn = aws_acm_certificate_validation.daemons.certificate_arn
  package         = { bucket = aws_s3_object.package.bucket, key = aws_s3_object.package.key }
  min_size        = 1
  max_size        = 3
}

# Instances export it. Such a certificate costs something when it is issued and renewed.
resource "aws_acm_certificate" "daemons" {
  domain_name       = "*.${local.domain}"
  validation_method = "DNS"

  options {
    export = "ENABLED"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = { for option in aws_acm_certificate.daemons.domain_validation_options : option.domain_name => option }

  zone_id         = data.aws_route53_zone.this.zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  records         = [each.value.resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "daemons" {
  certificate_arn         = aws_acm_certificate.daemons.arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_s3_bucket" "packages" {
  bucket        = "${var.name}-packages-${data.aws_caller_identity.current.account_id}"
  force_destroy = true
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
