variable "name" {
  description = "The prefix of the names of all resources, also of the tables."
  type        = string
  default     = "mediasoup-server"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name has 2 to 31 lower case letters, digits and hyphens, and starts with a letter."
  }
}

variable "bundle_directory" {
  description = "The folder that `make lambda` writes."
  type        = string
}

variable "vpc_id" {
  description = "The VPC in which the function reaches media daemons."
  type        = string

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "This is the id of a VPC, which begins with vpc-."
  }
}

variable "subnet_ids" {
  description = "The private subnets of the function. They must reach DynamoDB and AWS Secrets Manager."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "The function needs a subnet."
  }
}

variable "reaches_internet" {
  description = "Whether these subnets reach the internet. A JWKS URL and media daemons outside the VPC need that."
  type        = bool
  default     = false
}

variable "cors_origins" {
  description = "The origins of web pages that may use the API, such as `https://app.example.com`."
  type        = list(string)

  validation {
    condition     = length(var.cors_origins) > 0 && alltrue([for origin in var.cors_origins : can(regex("^https?://[^/*]+$", origin))])
    error_message = "Origins have a scheme and a host and no path; \"*\" is not taken."
  }
}

variable "access_tokens" {
  description = "How the access tokens of your application are verified. One of: the ARN of a secret with a shared secret of at least 32 characters (HS256), the ARN of a secret with a public key in PEM, the URL of a JSON Web Key Set. By default the module creates a shared secret."
  type = object({
    secret_arn     = optional(string)
    key_secret_arn = optional(string)
    jwks_url       = optional(string)
  })
  default = {}

  validation {
    condition     = length([for value in values(var.access_tokens) : value if value != null]) <= 1
    error_message = "At most one of secret_arn, key_secret_arn and jwks_url is set."
  }

  validation {
    condition     = var.access_tokens.jwks_url == null || var.reaches_internet
    error_message = "A JWKS URL is fetched over the internet, which the subnets do not reach: see nat_gateway of the network module."
  }

  validation {
    condition     = var.access_tokens.jwks_url == null || startswith(coalesce(var.access_tokens.jwks_url, "https://"), "https://")
    error_message = "Keys are fetched by https."
  }
}

variable "daemon_tls" {
  description = "Mutual TLS for media daemons outside the VPC: the ARNs of secrets in PEM, with the certificate authorities of all daemons (also those on EC2), and the certificate and key of the control plane. By default daemons have certificates of public authorities, and the control plane sends tokens."
  type = object({
    ca_secret_arn          = string
    certificate_secret_arn = string
    key_secret_arn         = string
  })
  default = null

  validation {
    condition     = var.daemon_tls == null || var.reaches_internet
    error_message = "Media daemons outside the VPC are reached over the internet, which the subnets do not reach: see nat_gateway of the network module."
  }
}

variable "daemon_grpc_port" {
  description = "The port of the daemons' gRPC servers."
  type        = number
  default     = 50051

  validation {
    condition     = var.daemon_grpc_port >= 1024 && var.daemon_grpc_port <= 65535
    error_message = "The port is from 1024 to 65535."
  }
}

variable "domain" {
  description = "A domain name for the API instead of the one of API Gateway, and the public Route 53 zone that contains it."
  type = object({
    name    = string
    zone_id = string
  })
  default = null
}

variable "settings" {
  description = "More settings of the control plane, by the names in docs/reference/control-plane-settings.md. A value may be the ARN of a secret in secret_arns."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^CONTROL_PLANE_[A-Z0-9_]+$", name))])
    error_message = "Settings of the control plane start with CONTROL_PLANE_."
  }
}

variable "secret_arns" {
  description = "The ARNs of secrets that settings name."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.secret_arns : startswith(arn, "arn:")])
    error_message = "These are ARNs of secrets."
  }
}

variable "metric_namespace" {
  description = "The CloudWatch namespace of the metric DaemonLoad."
  type        = string
  default     = "MediasoupServer"

  validation {
    condition     = can(regex("^[A-Za-z0-9_./#-]{1,255}$", var.metric_namespace)) && !startswith(var.metric_namespace, "AWS/")
    error_message = "The namespace has letters, digits and \"_./#-\", and is none of AWS's own."
  }
}

variable "memory_size" {
  description = "The function's memory in MiB. Its share of a processor grows with it."
  type        = number
  default     = 512

  validation {
    condition     = var.memory_size >= 256 && var.memory_size <= 3008
    error_message = "The function has 256 to 3008 MiB."
  }
}

variable "reserved_concurrency" {
  description = "The most requests that run at the same time, taken from the account's limit; -1 for no limit of its own."
  type        = number
  default     = -1

  validation {
    condition     = var.reserved_concurrency >= -1 && floor(var.reserved_concurrency) == var.reserved_concurrency
    error_message = "A number of requests, or -1."
  }
}

variable "requests_per_second" {
  description = "The sustained rate of requests a second that API Gateway accepts. It includes heartbeats: one every two seconds from each daemon."
  type        = number
  default     = 500

  validation {
    condition     = var.requests_per_second >= 1
    error_message = "At least one request a second passes."
  }
}

variable "request_burst" {
  description = "The burst of requests that API Gateway accepts."
  type        = number
  default     = 1000

  validation {
    condition     = var.request_burst >= 1 && floor(var.request_burst) == var.request_burst
    error_message = "A burst is a whole number from 1 on."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 and some more numbers of days."
  }
}

variable "assignment_key_days" {
  description = "Days after which the assignment key is rotated."
  type        = number
  default     = 30

  validation {
    condition     = var.assignment_key_days >= 1 && var.assignment_key_days <= 1000
    error_message = "The key is rotated every 1 to 1000 days."
  }
}

variable "daemon_key_version" {
  description = "A higher number creates a new key for the registration of media daemons. Running daemons keep the old key, which is refused when they register again: replace these daemons."
  type        = number
  default     = 1

  validation {
    condition     = var.daemon_key_version >= 1 && floor(var.daemon_key_version) == var.daemon_key_version
    error_message = "A version is a whole number from 1 on."
  }
}

variable "deletion_protection" {
  description = "Whether the tables are protected from deletion, and deleted secrets can be restored for 30 days."
  type        = bool
  default     = true
}

variable "alarm_topic_arns" {
  description = "The ARNs of the SNS topics that alarms are sent to."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : startswith(arn, "arn:")])
    error_message = "These are ARNs of SNS topics."
  }
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}
