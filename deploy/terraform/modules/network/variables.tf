variable "name" {
  description = "The prefix of the names of all resources."
  type        = string
  default     = "mediasoup-server"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name has 2 to 31 lower case letters, digits and hyphens, and starts with a letter."
  }
}

variable "cidr_block" {
  description = "The IPv4 network of the VPC. Each subnet gets a sixteenth of it."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr_block, 0)) && try(tonumber(split("/", var.cidr_block)[1]) >= 16 && tonumber(split("/", var.cidr_block)[1]) <= 22, false)
    error_message = "The network is an IPv4 one in CIDR notation, from /16 to /22."
  }
}

variable "availability_zones" {
  description = "The availability zones. Each gets a public subnet for media daemons and a private one for the control plane."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 1 && length(var.availability_zones) <= 8 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "There are one to eight availability zones, none of them twice."
  }
}

variable "nat_gateway" {
  description = "Whether the private subnets reach the internet through a NAT gateway in the first zone. The control plane needs that for a JWKS URL and for media daemons outside the VPC. Without it, the control plane reaches AWS Secrets Manager through an endpoint in the first zone."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}
