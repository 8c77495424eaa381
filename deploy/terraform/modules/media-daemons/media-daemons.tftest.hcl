mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }

  mock_data "aws_ssm_parameter" {
    defaults = { value = "ami-0123456789abcdef0" }
  }

  mock_data "aws_ec2_instance_type" {
    defaults = { default_vcpus = 4, supported_architectures = ["x86_64"] }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  vpc_id     = "vpc-1"
  subnet_ids = ["subnet-1"]
  control_plane = {
    url                   = "https://rtc.example.com"
    security_group_id     = "sg-1"
    daemon_key_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:daemon-key"
    metric_namespace      = "MediasoupServer"
  }
  domain          = "media.example.com"
  zone_id         = "Z1"
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
  package         = { bucket = "packages", key = "media-daemon.deb" }
}

run "opens_a_port_for_each_worker" {
  command = plan

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.media : rule.from_port == 40000 && rule.to_port == 40003])
    error_message = "Four processors have four workers, on four ports."
  }
}

run "asks_for_version_2_of_the_metadata" {
  command = plan

  assert {
    condition     = aws_launch_template.this.metadata_options[0].http_tokens == "required"
    error_message = "The metadata are for the instance alone."
  }
}

run "refuses_a_package_of_another_architecture" {
  command = plan

  variables {
    architecture = "arm64"
  }

  expect_failures = [aws_launch_template.this]
}

run "refuses_two_servers_on_one_port" {
  command = plan

  variables {
    grpc_port = 40001
  }

  expect_failures = [aws_launch_template.this]
}

run "refuses_what_is_no_port_and_no_network" {
  command = plan

  variables {
    port               = 0
    client_cidr_blocks = ["everybody"]
  }

  expect_failures = [var.port, var.client_cidr_blocks]
}

run "refuses_an_empty_fleet" {
  command = plan

  variables {
    min_size = 0
  }

  expect_failures = [var.min_size]
}
