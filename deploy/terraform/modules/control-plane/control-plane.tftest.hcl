mock_provider "archive" {}

mock_provider "random" {}

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  bundle_directory = "."
  vpc_id           = "vpc-1"
  subnet_ids       = ["subnet-1"]
  cors_origins     = ["https://app.example.com"]
}

run "makes_an_access_token_secret_unless_there_are_keys" {
  command = plan

  assert {
    condition     = length(aws_secretsmanager_secret.access_token_secret) == 1
    error_message = "Without keys of the application a shared secret is made."
  }

  assert {
    condition     = aws_lambda_function.api.architectures == tolist(["arm64"])
    error_message = "The function runs on arm64."
  }
}

run "takes_a_url_of_keys" {
  command = plan

  variables {
    access_tokens    = { jwks_url = "https://auth.example.com/jwks.json" }
    reaches_internet = true
  }

  assert {
    condition     = length(aws_secretsmanager_secret.access_token_secret) == 0
    error_message = "With a URL no secret is made."
  }
}

run "refuses_a_url_of_keys_that_cannot_be_reached" {
  command = plan

  variables {
    access_tokens = { jwks_url = "https://auth.example.com/jwks.json" }
  }

  expect_failures = [var.access_tokens]
}

run "refuses_all_origins" {
  command = plan

  variables {
    cors_origins = ["*"]
  }

  expect_failures = [var.cors_origins]
}

run "refuses_settings_of_others" {
  command = plan

  variables {
    settings = { MEDIA_DAEMON_MODE = "open" }
  }

  expect_failures = [var.settings]
}
