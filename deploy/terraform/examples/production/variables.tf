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
  description = "A public Route 53 zone of the account, such as `example.com`. The API is `rtc.` of it, and daemons get names in `media.` of it."
  type        = string
}

variable "cors_origins" {
  description = "The origins of the web pages that may use the API."
  type        = list(string)
}

variable "access_token_jwks_url" {
  description = "Where the public keys of your application's access tokens are."
  type        = string
}

variable "certificate_secret_arn" {
  description = "A secret with JSON `{\"certificate\": \"..\", \"privateKey\": \"..\"}`: the certificate of `*.media.` and your zone, which you renew."
  type        = string
}

variable "bare_metal" {
  description = "The secrets for media daemons outside AWS, over mutual TLS; see the control-plane module."
  type = object({
    ca_secret_arn          = string
    certificate_secret_arn = string
    key_secret_arn         = string
  })
  default = null
}

variable "alarm_email" {
  description = "Who is told of alarms."
  type        = string
}

variable "bundle_directory" {
  description = "The folder that `make lambda` has written."
  type        = string
  default     = "../../../lambda/dist"
}

variable "package_file" {
  description = "The package with the media daemon, for the architecture of the instances."
  type        = string
}

variable "architecture" {
  description = "The architecture of the package: `x86_64` or `arm64`."
  type        = string
  default     = "x86_64"
}
