# An image with both programs, to copy them from, or for a job that only supervises:
#
#   COPY --from=ghcr.io/shardctl/shardctl /usr/local/bin/shardworker /usr/local/bin/
#
# A worker runs a project's tests, so it belongs into the project's own image.
FROM golang:1.26 AS build
WORKDIR /source
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /programs/ ./cmd/shardctl ./cmd/shardworker

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /programs/ /usr/local/bin/
COPY LICENSE /usr/share/doc/shardctl/copyright
ENTRYPOINT ["/usr/local/bin/shardctl"]
