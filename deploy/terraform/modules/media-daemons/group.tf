# The autoscaling group: how many daemons run, and how they come and go.

resource "aws_autoscaling_group" "this" {
  name                      = var.name
  min_size                  = var.min_size
  max_size                  = var.max_size
  vpc_zone_identifier       = var.subnet_ids
  default_instance_warmup   = var.warmup_seconds
  health_check_type         = "EC2"
  health_check_grace_period = 0
  termination_policies      = ["OldestLaunchTemplate", "Default"]
  enabled_metrics           = ["GroupDesiredCapacity", "GroupInServiceInstances", "GroupTerminatingInstances"]
  # Until the first daemons have registered and take peers.
  wait_for_capacity_timeout = "15m"

  # Terraform waits for drains when the group is deleted.
  timeouts {
    delete = "${ceil(var.drain_seconds / 60) + 15}m"
  }

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  # A daemon counts once it is ready, which mediasoup-instance says.
  initial_lifecycle_hook {
    name                 = local.launch_hook
    lifecycle_transition = "autoscaling:EC2_INSTANCE_LAUNCHING"
    heartbeat_timeout    = 900
    default_result       = "ABANDON"
  }

  # A daemon ends once it has drained. mediasoup-instance prolongs this every minute, so an instance that is broken is
  # waited for no longer than that.
  initial_lifecycle_hook {
    name                 = local.termination_hook
    lifecycle_transition = "autoscaling:EC2_INSTANCE_TERMINATING"
    heartbeat_timeout    = 300
    default_result       = "CONTINUE"
  }

  # A new version of the launch template, with another package or other settings, replaces the daemons: new ones first,
  # then old ones, each of which drains. Where new ones do not become ready, the old ones stay.
  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 150
      instance_warmup        = 60
      skip_matching          = true
    }
  }

  dynamic "tag" {
    for_each = merge({ Name = var.name }, var.tags)

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false
    }
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_autoscaling_policy" "load" {
  name                   = "${var.name}-load"
  autoscaling_group_name = aws_autoscaling_group.this.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = var.target_load

    # The control plane logs it of each daemon's heartbeats.
    customized_metric_specification {
      namespace   = var.control_plane.metric_namespace
      metric_name = "DaemonLoad"
      statistic   = "Average"
      unit        = "Percent"

      metric_dimension {
        name  = "Region"
        value = local.region
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "load" {
  alarm_name          = "${var.name}-load"
  alarm_description   = "The daemons are loaded far beyond the target for ten minutes: the group is at max_size, or new daemons do not become ready."
  namespace           = var.control_plane.metric_namespace
  metric_name         = "DaemonLoad"
  dimensions          = { Region = local.region }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 10
  comparison_operator = "GreaterThanThreshold"
  threshold           = min(95, var.target_load + 25)
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "silence" {
  alarm_name          = "${var.name}-silence"
  alarm_description   = "No daemon has sent a heartbeat for five minutes: none runs, or none reaches the control plane. Calls that are under way go on."
  namespace           = var.control_plane.metric_namespace
  metric_name         = "DaemonLoad"
  dimensions          = { Region = local.region }
  statistic           = "SampleCount"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "missing" {
  alarm_name          = "${var.name}-missing"
  alarm_description   = "Fewer daemons serve than should for 20 minutes: new instances do not become ready. Their cloud-init log says why."
  evaluation_periods  = 20
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags

  metric_query {
    id          = "missing"
    expression  = "desired - serving"
    label       = "daemons that do not serve"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { desired = "GroupDesiredCapacity", serving = "GroupInServiceInstances" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/AutoScaling"
        metric_name = metric_query.value
        dimensions  = { AutoScalingGroupName = var.name }
        stat        = "Minimum"
        period      = 60
      }
    }
  }
}
