mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
}

variables {
  availability_zones = ["eu-central-1a", "eu-central-1b"]
}

run "gives_each_zone_two_subnets_that_do_not_overlap" {
  command = plan

  assert {
    condition     = length(aws_subnet.public) == 2 && length(aws_subnet.private) == 2
    error_message = "Each availability zone gets a public and a private subnet."
  }

  assert {
    condition     = length(distinct(concat([for subnet in aws_subnet.public : subnet.cidr_block], [for subnet in aws_subnet.private : subnet.cidr_block]))) == 4
    error_message = "Two subnets have the same addresses."
  }
}

run "reaches_secrets_through_an_endpoint" {
  command = plan

  assert {
    condition     = length(aws_vpc_endpoint.secretsmanager) == 1 && length(aws_nat_gateway.this) == 0
    error_message = "Without a NAT gateway there is an endpoint."
  }
}

run "reaches_secrets_through_a_nat_gateway" {
  command = plan

  variables {
    nat_gateway = true
  }

  assert {
    condition     = length(aws_vpc_endpoint.secretsmanager) == 0 && length(aws_nat_gateway.this) == 1
    error_message = "With a NAT gateway there is no endpoint."
  }
}

run "refuses_a_network_that_is_too_small" {
  command = plan

  variables {
    cidr_block = "10.40.0.0/24"
  }

  expect_failures = [var.cidr_block]
}
