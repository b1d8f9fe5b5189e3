VERSION = "0.1.0"
RUNTIME = "docker.io/seaway/runtime"  # the image that steps run in
