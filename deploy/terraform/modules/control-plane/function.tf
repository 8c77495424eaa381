# The function that answers the HTTP API.

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "archive_file" "bundle" {
  type        = "zip"
  source_dir  = var.bundle_directory
  output_path = "${path.root}/.terraform/${var.name}-function.zip"
}

locals {
  table_prefix = "${var.name}-"

  access_token_settings = {
    CONTROL_PLANE_ACCESS_TOKEN_SECRET   = local.access_token_secret_arn
    CONTROL_PLANE_ACCESS_TOKEN_KEY_FILE = var.access_tokens.key_secret_arn
    CONTROL_PLANE_ACCESS_TOKEN_JWKS_URL = var.access_tokens.jwks_url
  }

  daemon_tls_settings = var.daemon_tls == null ? {} : {
    CONTROL_PLANE_DAEMON_CA_FILE          = var.daemon_tls.ca_secret_arn
    CONTROL_PLANE_DAEMON_CLIENT_CERT_FILE = var.daemon_tls.certificate_secret_arn
    CONTROL_PLANE_DAEMON_CLIENT_KEY_FILE  = var.daemon_tls.key_secret_arn
  }

  settings = merge(
    {
      CONTROL_PLANE_MODE                  = "jwt"
      CONTROL_PLANE_STORE                 = "dynamodb"
      CONTROL_PLANE_AWS_REGION            = data.aws_region.current.region
      CONTROL_PLANE_TABLE_PREFIX          = local.table_prefix
      CONTROL_PLANE_DAEMON_KEY            = aws_secretsmanager_secret.daemon_key.arn
      CONTROL_PLANE_ASSIGNMENT_KEY_SECRET = aws_secretsmanager_secret.assignment_keys.arn
      CONTROL_PLANE_DAEMON_TLS            = "true"
      CONTROL_PLANE_CORS_ORIGINS          = join(",", var.cors_origins)
      CONTROL_PLANE_CLOUDWATCH_NAMESPACE  = var.metric_namespace
    },
    { for name, value in local.access_token_settings : name => value if value != null },
    local.daemon_tls_settings,
    var.settings,
  )
}

resource "aws_lambda_function" "api" {
  function_name                  = "${var.name}-control-plane"
  description                    = "The control plane of ${var.name}: rooms, assignments and the directory of media daemons."
  role                           = aws_iam_role.api.arn
  architectures                  = ["arm64"]
  runtime                        = "nodejs24.x"
  handler                        = "index.handler"
  filename                       = data.archive_file.bundle.output_path
  source_code_hash               = data.archive_file.bundle.output_base64sha256
  memory_size                    = var.memory_size
  timeout                        = 15
  reserved_concurrent_executions = var.reserved_concurrency
  tags                           = var.tags

  environment {
    variables = local.settings
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.api.name
  }

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [aws_security_group.api.id]
  }

  depends_on = [
    aws_iam_role_policy.api,
    aws_lambda_invocation.first_keys,
    aws_secretsmanager_secret_version.daemon_key,
    aws_secretsmanager_secret_version.access_token_secret,
  ]
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/aws/lambda/${var.name}-control-plane"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_security_group" "api" {
  name        = "${var.name}-control-plane"
  description = "The control plane, which nothing connects to."
  vpc_id      = var.vpc_id
  tags        = merge({ Name = "${var.name}-control-plane" }, var.tags)
}

resource "aws_vpc_security_group_egress_rule" "daemons" {
  security_group_id = aws_security_group.api.id
  description       = "Media daemons' gRPC servers"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = var.daemon_grpc_port
  to_port           = var.daemon_grpc_port
  tags              = var.tags
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.api.id
  description       = "DynamoDB, AWS Secrets Manager and a JWKS URL"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}
