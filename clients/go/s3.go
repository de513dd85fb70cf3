package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const partBytes = 8 * 1024 * 1024

func checkS3(settings aws.Config, large []byte, keys []string) {
	client := s3.NewFromConfig(settings, func(options *s3.Options) { options.UsePathStyle = true })
	bucket := aws.String("clients-go")
	get := func(key string) ([]byte, error) {
		answer, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key})
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		return io.ReadAll(answer.Body)
	}

	check("a bucket is created, and its region found", func() error {
		if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}); err != nil {
			return err
		}
		region, err := manager.GetBucketRegion(ctx, client, *bucket)
		if err != nil {
			return err
		}
		return equal(region, settings.Region, "the region")
	})
	for _, key := range keys {
		check(fmt.Sprintf("the key %q: put, get", key), func() error {
			put := &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(key)}
			if _, err := client.PutObject(ctx, put); err != nil {
				return err
			}
			content, err := get(key)
			if err != nil {
				return err
			}
			return equal(string(content), key, "the content")
		})
	}
	check("pages of listings, DeleteObjects", func() error {
		// XML 1.0 cannot hold it, and this client does not ask for encoded keys.
		bell := "bell\u0007.txt"
		if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: &bell}); err != nil {
			return err
		}
		pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(7)})
		var listed []string
		var objects []types.ObjectIdentifier
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, object := range page.Contents {
				listed = append(listed, *object.Key)
				objects = append(objects, types.ObjectIdentifier{Key: object.Key})
			}
		}
		var sorted []string
		for _, key := range keys {
			if key != bell {
				sorted = append(sorted, key)
			}
		}
		sort.Strings(sorted)
		if err := equal(listed, sorted, "the keys"); err != nil {
			return err
		}
		answer, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: objects}})
		if err != nil {
			return err
		}
		if err := equal(len(answer.Errors), 0, "the errors"); err != nil {
			return err
		}
		left, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
		if err != nil {
			return err
		}
		return equal(*left.KeyCount, int32(0), "the keys that are left")
	})
	check("60 MB by the manager: upload, download", func() error {
		key := aws.String("it's large & odd.bin")
		uploader := manager.NewUploader(client, func(u *manager.Uploader) { u.PartSize = partBytes })
		if _, err := uploader.Upload(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(large)}); err != nil {
			return err
		}
		buffer := manager.NewWriteAtBuffer(nil)
		if _, err := manager.NewDownloader(client).Download(ctx, buffer, &s3.GetObjectInput{Bucket: bucket, Key: key}); err != nil {
			return err
		}
		return equal(bytes.Equal(buffer.Bytes(), large), true, "the same content")
	})
	check("60 MB by the transfer manager: upload, download by parts and by ranges", func() error {
		key := aws.String("transferred.bin")
		for _, kind := range []struct{ parts bool }{{true}, {false}} {
			transfer := transfermanager.New(client, func(o *transfermanager.Options) {
				o.PartSizeBytes = partBytes
				if kind.parts {
					o.GetObjectType = "PART"
				} else {
					o.GetObjectType = "RANGE"
				}
			})
			if _, err := transfer.UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(large)}); err != nil {
				return err
			}
			answer, err := transfer.GetObject(ctx, &transfermanager.GetObjectInput{Bucket: bucket, Key: key})
			if err != nil {
				return err
			}
			content, err := io.ReadAll(answer.Body)
			if err != nil {
				return err
			}
			if err := equal(bytes.Equal(content, large), true, "the same content"); err != nil {
				return err
			}
		}
		return nil
	})
	check("checksums over parts", func() error {
		for _, algorithm := range []types.ChecksumAlgorithm{types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmCrc64nvme, types.ChecksumAlgorithmSha256} {
			key := aws.String("checked " + string(algorithm))
			uploader := manager.NewUploader(client)
			if _, err := uploader.Upload(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(large[:partBytes]), ChecksumAlgorithm: algorithm}); err != nil {
				return fmt.Errorf("%s: %w", algorithm, err)
			}
			head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key, ChecksumMode: types.ChecksumModeEnabled})
			if err != nil {
				return fmt.Errorf("%s: %w", algorithm, err)
			}
			stored := []*string{head.ChecksumCRC32, head.ChecksumCRC32C, head.ChecksumCRC64NVME, head.ChecksumSHA256}
			found := false
			for _, sum := range stored {
				found = found || sum != nil
			}
			if err := equal(found, true, fmt.Sprintf("%s is returned", algorithm)); err != nil {
				return err
			}
		}
		return nil
	})
	check("presigned GET and PUT", func() error {
		presigner := s3.NewPresignClient(client)
		key := aws.String("presigned 'ü'+ &.txt")
		put, err := presigner.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key})
		if err != nil {
			return err
		}
		request, _ := http.NewRequest("PUT", put.URL, strings.NewReader("content"))
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		answer.Body.Close()
		if err := equal(answer.StatusCode, 200, "the status of PUT"); err != nil {
			return err
		}
		url, err := presigner.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
		if err != nil {
			return err
		}
		answer, err = http.Get(url.URL)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		content, err := io.ReadAll(answer.Body)
		if err != nil {
			return err
		}
		return equal(string(content), "content", "the content")
	})
	check("metadata, a condition, errors", func() error {
		key := aws.String("described")
		metadata := map[string]string{"color": "blue"}
		disposition := aws.String("attachment; filename=\"a b.txt\"")
		put := &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x"), Metadata: metadata, ContentDisposition: disposition, IfNoneMatch: aws.String("*")}
		if _, err := client.PutObject(ctx, put); err != nil {
			return err
		}
		head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
		if err != nil {
			return err
		}
		put.Body = strings.NewReader("y")
		_, again := client.PutObject(ctx, put)
		_, lacking := get("lacking")
		wrong := s3.NewFromConfig(settings, func(options *s3.Options) {
			options.UsePathStyle = true
			keys, _ := settings.Credentials.Retrieve(ctx)
			options.Credentials = credentials.NewStaticCredentialsProvider(keys.AccessKeyID, "wrong", "")
		})
		_, unsigned := wrong.ListBuckets(ctx, &s3.ListBucketsInput{})
		return errors.Join(
			equal(head.Metadata, metadata, "the metadata"),
			equal(*head.ContentDisposition, *disposition, "the disposition"),
			refused("PreconditionFailed", again),
			refused("NoSuchKey", lacking),
			refused("SignatureDoesNotMatch", unsigned),
		)
	})
}
