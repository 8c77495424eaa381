# The tables, with the keys of control-plane/src/store/createTables.ts.

resource "aws_dynamodb_table" "rooms" {
  name                        = "${local.table_prefix}rooms"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "roomId"
  deletion_protection_enabled = var.deletion_protection
  tags                        = var.tags

  attribute {
    name = "roomId"
    type = "S"
  }

  ttl {
    attribute_name = "expiresAt"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }
}

resource "aws_dynamodb_table" "daemons" {
  name                        = "${local.table_prefix}daemons"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "shard"
  range_key                   = "daemonId"
  deletion_protection_enabled = var.deletion_protection
  tags                        = var.tags

  attribute {
    name = "shard"
    type = "S"
  }

  attribute {
    name = "daemonId"
    type = "S"
  }

  ttl {
    attribute_name = "expiresAt"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }
}
