package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// bucket keeps files in an S3-compatible object store.
type bucket struct {
	client       *minio.Client
	name, prefix string
}

// bucketTime bounds one call: the phone of the person who sends a picture waits.
const bucketTime = 30 * time.Second

// largestSealed bounds what is read back: 100 MB and the seal.
const largestSealed = 101 << 20

func openBucket(ctx context.Context, text string, keys FilesKeys) (*bucket, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil {
		return nil, errors.New("the URL must be s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION, with the keys apart from it")
	}
	q := u.Query()
	endpoint, err := url.Parse(q.Get("endpoint"))
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "https" && endpoint.Scheme != "http" {
		return nil, errors.New("the URL needs endpoint=https://HOST")
	}
	if keys.AccessKey == "" || keys.SecretKey == "" {
		return nil, errors.New("files.access_key and files.secret_key must be set")
	}
	c, err := minio.New(endpoint.Host, &minio.Options{Creds: credentials.NewStaticV4(keys.AccessKey, keys.SecretKey, ""), Secure: endpoint.Scheme == "https", Region: q.Get("region"), MaxRetries: 3})
	if err != nil {
		return nil, err
	}
	b := &bucket{client: c, name: u.Host, prefix: strings.Trim(u.Path, "/")}
	if b.prefix != "" {
		b.prefix += "/"
	}
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	there, err := c.BucketExists(ctx, b.name)
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, fmt.Errorf("there is no bucket %s", b.name)
	}
	return b, nil
}

func (b *bucket) key(id string) string { return b.prefix + id[:2] + "/" + id }

func (b *bucket) put(ctx context.Context, id string, sealed []byte) error {
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	// One request: all of it is there, or nothing.
	_, err := b.client.PutObject(ctx, b.name, b.key(id), bytes.NewReader(sealed), int64(len(sealed)), minio.PutObjectOptions{ContentType: "application/octet-stream", DisableMultipart: true})
	return err
}

func (b *bucket) get(ctx context.Context, id string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	o, err := b.client.GetObject(ctx, b.name, b.key(id), minio.GetObjectOptions{})
	if err != nil {
		return nil, err
	}
	defer o.Close()
	sealed, err := io.ReadAll(io.LimitReader(o, largestSealed))
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, ErrNotFound
	}
	return sealed, err
}
