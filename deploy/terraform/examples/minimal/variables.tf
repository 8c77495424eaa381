variable "name" {
  description = "What the names of the resources start with."
  type        = string
  default     = "mediasoup-server"
}

variable "aws_region" {
  description = "The AWS region."
  type        = string
  default     = "eu-central-1"
}

variable "zone" {
  description = "A public Route 53 zone of the account, such as `example.com`. Daemons get names in `media.` of it."
  type        = string
}

variable "cors_origins" {
  description = "The origins of the web pages that may use the API."
  type        = list(string)
}

variable "bundle_directory" {
  description = "The folder that `make lambda` has written."
  type        = string
  default     = "../../../lambda/dist"
}

variable "package_file" {
  description = "The package with the media daemon, for the architecture of the instances (x86_64)."
  type        = string
}
