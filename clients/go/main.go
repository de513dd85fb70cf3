// AWS SDK for Go v2 and minio-go against a local run. Prints each check as one line of JSON, which
// clients/suites/programs.ts reads. Arguments: a file of 60 MB, a JSON file with odd keys.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
)

var ctx = context.Background()

type outcome struct {
	Name  string `json:"name"`
	Error string `json:"error,omitempty"`
}

// check runs one check and prints its outcome.
func check(name string, run func() error) {
	result := outcome{Name: name}
	if err := run(); err != nil {
		result.Error = err.Error()
	}
	line, _ := json.Marshal(result)
	fmt.Println(string(line))
}

func equal(actual, expected any, what string) error {
	if !reflect.DeepEqual(actual, expected) {
		return fmt.Errorf("%s: expected %#v, got %#v", what, expected, actual)
	}
	return nil
}

// refused is an error unless the call was refused with this code.
func refused(code string, err error) error {
	if err == nil {
		return fmt.Errorf("expected the error %s, got an answer", code)
	}
	var refusal smithy.APIError
	if !errors.As(err, &refusal) {
		return fmt.Errorf("expected the error %s, got %w", code, err)
	}
	return equal(refusal.ErrorCode(), code, "the error's code")
}

func main() {
	large, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	var keys []string
	if err := json.Unmarshal(text, &keys); err != nil {
		panic(err)
	}
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		panic(err)
	}
	seen := &warnings{}
	settings.Logger = seen
	checkS3(settings, large, keys)
	checkServices(settings)
	checkMinio(aws.ToString(settings.BaseEndpoint), large, keys)
	check("the SDK warns of nothing", func() error {
		return equal(seen.lines, []string(nil), "the warnings")
	})
}
