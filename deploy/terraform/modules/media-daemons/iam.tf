# What an instance may do, and nothing else. The media daemon needs none of it.

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = "${var.name}-media-daemon"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_instance_profile" "this" {
  name = "${var.name}-media-daemon"
  role = aws_iam_role.this.name
  tags = var.tags
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "Package"
    actions   = ["s3:GetObject"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${var.package.bucket}/${var.package.key}"]
  }

  statement {
    sid     = "Secrets"
    actions = ["secretsmanager:GetSecretValue"]
    resources = concat(
      [var.control_plane.daemon_key_secret_arn],
      strcontains(var.certificate_arn, ":secretsmanager:") ? [var.certificate_arn] : [],
    )
  }

  dynamic "statement" {
    for_each = strcontains(var.certificate_arn, ":acm:") ? [var.certificate_arn] : []

    content {
      sid       = "Certificate"
      actions   = ["acm:ExportCertificate"]
      resources = [statement.value]
    }
  }

  # Names of daemons, and their addresses alone.
  statement {
    sid     = "Names"
    actions = ["route53:ChangeResourceRecordSets"]
    resources = [
      "arn:${data.aws_partition.current.partition}:route53:::hostedzone/${var.zone_id}",
      "arn:${data.aws_partition.current.partition}:route53:::hostedzone/${aws_route53_zone.private.zone_id}",
    ]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
      values   = ["i-*.${var.domain}"]
    }

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "route53:ChangeResourceRecordSetsRecordTypes"
      values   = ["A"]
    }

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "route53:ChangeResourceRecordSetsActions"
      values   = ["UPSERT", "DELETE"]
    }
  }

  statement {
    sid = "Group"
    actions = [
      "autoscaling:CompleteLifecycleAction",
      "autoscaling:RecordLifecycleActionHeartbeat",
      "autoscaling:SetInstanceHealth",
    ]
    resources = [local.group_arn]
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "media-daemon"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}

resource "aws_iam_role_policy_attachment" "session_manager" {
  count = var.session_manager ? 1 : 0

  role       = aws_iam_role.this.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}
