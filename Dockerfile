# Two stages: build the static binary, then nothing but it, as a user without rights.
# scripts/docker-steps.sh makes and tries the same steps without an engine.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
COPY internal/nosqlite3 internal/nosqlite3
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X frontline/cli.Version=${VERSION}" -o /out/frontline . \
 && mkdir -p /out/data && cp /etc/ssl/certs/ca-certificates.crt /out/

FROM scratch
COPY --from=build /out/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/frontline /frontline
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/frontline"]
CMD ["serve"]
