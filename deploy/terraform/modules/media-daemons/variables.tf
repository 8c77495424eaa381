variable "name" {
  description = "The name of the autoscaling group, and the prefix of the names of the other resources."
  type        = string
  default     = "mediasoup-server"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name has 2 to 31 lower case letters, digits and hyphens, and starts with a letter."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "This is the id of a VPC, which begins with vpc-."
  }
}

variable "subnet_ids" {
  description = "The public subnets."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "Media daemons need a subnet."
  }
}

variable "control_plane" {
  description = "The control plane: the URL of its API, its security group, the secret with the key for registration, and the namespace of the metric DaemonLoad. These are outputs of the control-plane module."
  type = object({
    url                   = string
    security_group_id     = string
    daemon_key_secret_arn = string
    metric_namespace      = string
  })

  validation {
    condition     = can(regex("^https://[^/]+$", var.control_plane.url))
    error_message = "The URL is an https one without a path."
  }
}

variable "domain" {
  description = "The domain of the daemons' names. With `media.example.com` a daemon is `i-0123456789abcdef0.media.example.com`. Inside the VPC a private zone resolves these names to private addresses."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "The domain is one in lower case without a dot at its end."
  }
}

variable "zone_id" {
  description = "The public Route 53 zone that contains the domain."
  type        = string
}

variable "certificate_arn" {
  description = "The ARN of the certificate of `*.domain`: an exportable ACM certificate, or a secret with the JSON `{\"certificate\": \"..\", \"privateKey\": \"..\"}` in PEM. Instances look for a renewed one twice a day."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:(acm|secretsmanager):", var.certificate_arn))
    error_message = "The certificate is one of ACM or a secret of AWS Secrets Manager."
  }
}

variable "package" {
  description = "The package with the media daemon: the S3 bucket and key of a `.deb`, or of a tar archive of the installed files. A different key replaces the instances, one after another."
  type = object({
    bucket = string
    key    = string
  })

  validation {
    condition     = can(regex("\\.(deb|tar|tar\\.gz|tgz|tar\\.xz)$", var.package.key))
    error_message = "The package's key ends with .deb, .tar, .tar.gz, .tgz or .tar.xz."
  }
}

variable "instance_type" {
  description = "The instance type. One media worker runs on each processor."
  type        = string
  default     = "c7i.large"
}

variable "architecture" {
  description = "The architecture of the instances and of the package: `x86_64` or `arm64`."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "The architecture is x86_64 or arm64."
  }
}

variable "ami_id" {
  description = "The image of the instances: a Debian with cloud-init. By default the current Debian 12."
  type        = string
  default     = null
}

variable "min_size" {
  description = "The fewest daemons. With two, the service survives the loss of one."
  type        = number
  default     = 2

  validation {
    condition     = var.min_size >= 1
    error_message = "At least one daemon runs: none would report a load, and the group would not grow."
  }
}

variable "max_size" {
  description = "The most daemons."
  type        = number
  default     = 10

  validation {
    condition     = var.max_size >= var.min_size
    error_message = "At most is not less than at least."
  }
}

variable "target_load" {
  description = "The mean load of the daemons in percent that the group aims at. The load of a daemon is the worst of worker CPU, network, used places and event loop delay."
  type        = number
  default     = 50

  validation {
    condition     = var.target_load >= 10 && var.target_load <= 90
    error_message = "The load is from 10 to 90 per cent."
  }
}

variable "warmup_seconds" {
  description = "Seconds in which the load of a new daemon does not count, because it has few rooms yet."
  type        = number
  default     = 300

  validation {
    condition     = var.warmup_seconds >= 0 && var.warmup_seconds <= 3600 && floor(var.warmup_seconds) == var.warmup_seconds
    error_message = "A warm-up takes 0 s to an hour."
  }
}

variable "drain_seconds" {
  description = "Seconds that peers have to move away from a daemon that ends. A daemon without peers ends at once."
  type        = number
  default     = 600

  validation {
    condition     = var.drain_seconds >= 30 && var.drain_seconds <= 25200
    error_message = "A drain takes 30 s to seven hours: autoscaling waits for 100 of its hook's five minutes."
  }
}

variable "port" {
  description = "The port of the WebSocket server. Strict networks let 443 through."
  type        = number
  default     = 443

  validation {
    condition     = var.port >= 1 && var.port <= 65535 && floor(var.port) == var.port
    error_message = "A port is a whole number from 1 to 65535."
  }
}

variable "grpc_port" {
  description = "The port of the gRPC server. Only the control plane reaches it."
  type        = number
  default     = 50051

  validation {
    condition     = var.grpc_port >= 1 && var.grpc_port <= 65535 && floor(var.grpc_port) == var.grpc_port
    error_message = "A port is a whole number from 1 to 65535."
  }
}

variable "rtc_port" {
  description = "The media port of the first worker, UDP and TCP. Each further worker uses the next port."
  type        = number
  default     = 40000

  validation {
    condition     = var.rtc_port >= 1024 && var.rtc_port <= 65000
    error_message = "The port is from 1024 to 65000."
  }
}

variable "client_cidr_blocks" {
  description = "The IPv4 networks of the frontends."
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.client_cidr_blocks) > 0 && alltrue([for block in var.client_cidr_blocks : can(cidrhost(block, 0))])
    error_message = "These are IPv4 networks, such as 0.0.0.0/0."
  }
}

variable "region" {
  description = "The region of the daemons, for placement and for the metric. By default the AWS region."
  type        = string
  default     = null
}

variable "settings" {
  description = "More settings of the media daemon, by the names in docs/reference/media-daemon-settings.md."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, value in var.settings : can(regex("^MEDIA_DAEMON_[A-Z0-9_]+$", name)) && !can(regex("[\r\n]", value))])
    error_message = "Settings of the media daemon start with MEDIA_DAEMON_, and have one line."
  }
}

variable "session_manager" {
  description = "Whether operators may open shells on the instances with AWS Session Manager. The image must contain its agent."
  type        = bool
  default     = false
}

variable "volume_size" {
  description = "The size of each instance's disk in GiB."
  type        = number
  default     = 10

  validation {
    condition     = var.volume_size >= 8
    error_message = "The disk has at least 8 GiB."
  }
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
  description = "Tags of all resources, also of instances and their disks."
  type        = map(string)
  default     = {}
}
