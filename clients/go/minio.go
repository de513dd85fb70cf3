package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

func checkMinio(endpoint string, large []byte, keys []string) {
	address, err := url.Parse(endpoint)
	if err != nil {
		panic(err)
	}
	client, err := minio.New(address.Host, &minio.Options{
		Creds: credentials.NewStaticV4(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	})
	if err != nil {
		panic(err)
	}
	const bucket = "clients-minio-go"
	put := func(key, content string) error {
		_, err := client.PutObject(ctx, bucket, key, strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{})
		return err
	}
	read := func(key string) ([]byte, error) {
		object, err := client.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
		if err != nil {
			return nil, err
		}
		defer object.Close()
		return io.ReadAll(object)
	}

	check("minio-go: a bucket, odd keys, RemoveObjects", func() error {
		if err := client.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}); err != nil {
			return err
		}
		var problems []error
		for _, key := range keys {
			// minio-go itself refuses keys with these parts.
			if strings.Contains(key, "..") && !strings.HasPrefix(key, "...") || strings.Contains(key, "/./") || strings.HasPrefix(key, "/") {
				continue
			}
			err := put(key, key)
			if err == nil {
				var content []byte
				content, err = read(key)
				if err == nil {
					err = equal(string(content), key, "the content")
				}
			}
			if err != nil {
				problems = append(problems, fmt.Errorf("%q: %w", key, err))
			}
		}
		objects := client.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true})
		for failure := range client.RemoveObjects(ctx, bucket, objects, minio.RemoveObjectsOptions{}) {
			problems = append(problems, failure.Err)
		}
		for left := range client.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true}) {
			problems = append(problems, fmt.Errorf("%q is left", left.Key), left.Err)
		}
		return errors.Join(problems...)
	})
	check("minio-go: 60 MB in parts of a stream of unknown length, composed, copied", func() error {
		if _, err := client.PutObject(ctx, bucket, "large", bytes.NewReader(large), -1, minio.PutObjectOptions{PartSize: partBytes}); err != nil {
			return err
		}
		content, err := read("large")
		if err != nil {
			return err
		}
		source := minio.CopySrcOptions{Bucket: bucket, Object: "large"}
		if _, err := client.ComposeObject(ctx, minio.CopyDestOptions{Bucket: bucket, Object: "composed"}, source, source); err != nil {
			return err
		}
		composed, err := client.StatObject(ctx, bucket, "composed", minio.StatObjectOptions{})
		if err != nil {
			return err
		}
		return errors.Join(
			equal(bytes.Equal(content, large), true, "the same content"),
			equal(composed.Size, int64(2*len(large)), "the composed size"),
		)
	})
	check("minio-go: presigned GET, metadata, NoSuchKey", func() error {
		options := minio.PutObjectOptions{UserMetadata: map[string]string{"Color": "blue"}}
		if _, err := client.PutObject(ctx, bucket, "it's ü", strings.NewReader("content"), 7, options); err != nil {
			return err
		}
		link, err := client.PresignedGetObject(ctx, bucket, "it's ü", time.Minute, nil)
		if err != nil {
			return err
		}
		answer, err := http.Get(link.String())
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		content, err := io.ReadAll(answer.Body)
		if err != nil {
			return err
		}
		stat, err := client.StatObject(ctx, bucket, "it's ü", minio.StatObjectOptions{})
		if err != nil {
			return err
		}
		_, lacking := client.StatObject(ctx, bucket, "lacking", minio.StatObjectOptions{})
		return errors.Join(
			equal(string(content), "content", "the content"),
			equal(stat.UserMetadata["Color"], "blue", "the metadata"),
			equal(minio.ToErrorResponse(lacking).Code, "NoSuchKey", "the error"),
		)
	})
	check("minio-go: an append keeps what is there, or is refused", func() error {
		if err := put("appended", "first "); err != nil {
			return err
		}
		_, err := client.AppendObject(ctx, bucket, "appended", strings.NewReader("second"), 6, minio.AppendObjectOptions{})
		content, unread := read("appended")
		if unread != nil {
			return unread
		}
		expected := "first second"
		if err != nil {
			expected = "first "
		}
		return equal(string(content), expected, "the content")
	})
}
