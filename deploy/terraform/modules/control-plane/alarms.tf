# What somebody should look at. Each alarm says what it means.

locals {
  tables = {
    rooms   = aws_dynamodb_table.rooms.name
    daemons = aws_dynamodb_table.daemons.name
  }

  # Patterns of the function's log, and what each means.
  log_alarms = {
    errors = {
      pattern     = "{ $.level >= 50 }"
      description = "The control plane logged errors: look for lines of level 50 or more in its log."
      threshold   = 5
    }
    lost-daemons = {
      pattern     = "{ $.msg = \"daemon declared lost*\" }"
      description = "A media daemon neither sent heartbeats nor answered, and its rooms were given to others."
      threshold   = 0
    }
  }

  function_alarms = {
    function-errors = {
      metric      = "Errors"
      statistic   = "Sum"
      threshold   = 0
      description = "The control plane's function failed or did not start; its log says why."
    }
    function-throttles = {
      metric      = "Throttles"
      statistic   = "Sum"
      threshold   = 0
      description = "Requests were refused since too many were under way: raise reserved_concurrency or the account's limit."
    }
    function-duration = {
      metric      = "Duration"
      statistic   = "p99"
      threshold   = 3000
      description = "One request in a hundred takes over 3 s: media daemons or the tables answer slowly."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "function" {
  for_each = local.function_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = aws_lambda_function.api.function_name }
  statistic           = each.value.statistic == "p99" ? null : each.value.statistic
  extended_statistic  = each.value.statistic == "p99" ? "p99" : null
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "rotate_keys" {
  alarm_name          = "${var.name}-rotate-keys"
  alarm_description   = "The assignment keys were not rotated. The present key still signs; the function's log says why."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.rotate_keys.function_name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "answers" {
  alarm_name          = "${var.name}-server-errors"
  alarm_description   = "Over 5 % of the answers are 5xx: no capacity, full rooms, or tables that cannot be read; GET /ready tells the last apart."
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags

  metric_query {
    id          = "share"
    expression  = "100 * errors / requests"
    label       = "per cent of the answers"
    return_data = true
  }

  metric_query {
    id = "errors"

    metric {
      namespace   = "AWS/ApiGateway"
      metric_name = "5xx"
      dimensions  = { ApiId = aws_apigatewayv2_api.this.id }
      stat        = "Sum"
      period      = 60
    }
  }

  metric_query {
    id = "requests"

    metric {
      namespace   = "AWS/ApiGateway"
      metric_name = "Count"
      dimensions  = { ApiId = aws_apigatewayv2_api.this.id }
      stat        = "Sum"
      period      = 60
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "tables" {
  for_each = {
    for pair in setproduct(keys(local.tables), ["ReadThrottleEvents", "WriteThrottleEvents"]) : "${pair[0]}-${pair[1]}" => {
      table  = local.tables[pair[0]]
      metric = pair[1]
    }
  }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "DynamoDB refused requests to a table: its traffic grew too fast, or an account limit is reached."
  namespace           = "AWS/DynamoDB"
  metric_name         = each.value.metric
  dimensions          = { TableName = each.value.table }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = local.log_alarms

  name           = "${var.name}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.api.name
  pattern        = each.value.pattern

  metric_transformation {
    namespace     = var.metric_namespace
    name          = "${var.name}-${each.key}"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "log" {
  for_each = local.log_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = var.metric_namespace
  metric_name         = aws_cloudwatch_log_metric_filter.this[each.key].metric_transformation[0].name
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  tags                = var.tags
}
