output "url" {
  description = "The URL of the HTTP API, without a slash at the end."
  value       = var.domain == null ? aws_apigatewayv2_api.this.api_endpoint : "https://${var.domain.name}"

  # Who reads it can use it.
  depends_on = [
    aws_apigatewayv2_api_mapping.this,
    aws_apigatewayv2_route.this,
    aws_apigatewayv2_stage.this,
    aws_lambda_permission.api,
    aws_route53_record.this,
  ]
}

output "security_group_id" {
  description = "The function's security group. Media daemons accept connections from it."
  value       = aws_security_group.api.id
}

output "daemon_key_secret_arn" {
  description = "The ARN of the secret with the key for the registration of media daemons."
  value       = aws_secretsmanager_secret_version.daemon_key.arn
}

output "access_token_secret_arn" {
  description = "The ARN of the secret that your backend signs access tokens with, if the module created it."
  value       = local.makes_access_token_secret ? aws_secretsmanager_secret.access_token_secret[0].arn : null
}

output "metric_namespace" {
  description = "The CloudWatch namespace of the metric DaemonLoad."
  value       = var.metric_namespace
}

output "table_names" {
  description = "The names of the tables."
  value       = values(local.tables)
}

output "function_name" {
  description = "The name of the Lambda function."
  value       = aws_lambda_function.api.function_name
}

output "log_group_name" {
  description = "The log group of the function."
  value       = aws_cloudwatch_log_group.api.name
}
