# Keys, none of which is in the state: two are made while Terraform runs and written only, and those that sign assignments
# are created and rotated by a function.

locals {
  makes_access_token_secret = alltrue([for value in values(var.access_tokens) : value == null])
  access_token_secret_arn   = local.makes_access_token_secret ? aws_secretsmanager_secret.access_token_secret[0].arn : var.access_tokens.secret_arn
  recovery_days             = var.deletion_protection ? 30 : 0
}

ephemeral "random_password" "daemon_key" {
  length  = 48
  special = false
}

resource "aws_secretsmanager_secret" "daemon_key" {
  name                    = "${var.name}/daemon-key"
  description             = "The key that media daemons register with at the control plane."
  recovery_window_in_days = local.recovery_days
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "daemon_key" {
  secret_id                = aws_secretsmanager_secret.daemon_key.id
  secret_string_wo         = ephemeral.random_password.daemon_key.result
  secret_string_wo_version = var.daemon_key_version
}

ephemeral "random_password" "access_token_secret" {
  length  = 64
  special = false
}

resource "aws_secretsmanager_secret" "access_token_secret" {
  count = local.makes_access_token_secret ? 1 : 0

  name                    = "${var.name}/access-token-secret"
  description             = "What your application's backend signs access tokens with (HS256)."
  recovery_window_in_days = local.recovery_days
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "access_token_secret" {
  count = local.makes_access_token_secret ? 1 : 0

  secret_id                = aws_secretsmanager_secret.access_token_secret[0].id
  secret_string_wo         = ephemeral.random_password.access_token_secret.result
  secret_string_wo_version = 1
}

resource "aws_secretsmanager_secret" "assignment_keys" {
  name                    = "${var.name}/assignment-keys"
  description             = "The keys that sign assignments, with when each begins to sign."
  recovery_window_in_days = local.recovery_days
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_rotation" "assignment_keys" {
  secret_id           = aws_secretsmanager_secret.assignment_keys.id
  rotation_lambda_arn = aws_lambda_function.rotate_keys.arn
  rotate_immediately  = false

  rotation_rules {
    automatically_after_days = var.assignment_key_days
  }

  depends_on = [aws_lambda_permission.rotate_keys, aws_lambda_invocation.first_keys]
}

resource "aws_lambda_function" "rotate_keys" {
  function_name    = "${var.name}-rotate-keys"
  description      = "Turns the assignment keys of ${var.name}."
  role             = aws_iam_role.rotate_keys.arn
  architectures    = ["arm64"]
  runtime          = "nodejs24.x"
  handler          = "rotateKeys.handler"
  filename         = data.archive_file.bundle.output_path
  source_code_hash = data.archive_file.bundle.output_base64sha256
  memory_size      = 256
  timeout          = 30
  tags             = var.tags

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.rotate_keys.name
  }

  depends_on = [aws_iam_role_policy.rotate_keys]
}

resource "aws_cloudwatch_log_group" "rotate_keys" {
  name              = "/aws/lambda/${var.name}-rotate-keys"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_lambda_permission" "rotate_keys" {
  function_name  = aws_lambda_function.rotate_keys.function_name
  action         = "lambda:InvokeFunction"
  principal      = "secretsmanager.amazonaws.com"
  source_account = data.aws_caller_identity.current.account_id
}

# Makes the first key; where there is one, it does nothing.
resource "aws_lambda_invocation" "first_keys" {
  function_name = aws_lambda_function.rotate_keys.function_name
  input         = jsonencode({ SecretId = aws_secretsmanager_secret.assignment_keys.arn })
}
