// The whole round with the client of oapi-codegen; prints each check as a line of JSON.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"

	"generated/api"
)

type input struct {
	ManagerURL    string `json:"managerUrl"`
	ManagerKey    string `json:"managerKey"`
	UploadBaseURL string `json:"uploadBaseUrl"`
	FailedID      string `json:"failedId"`
	From          string `json:"from"`
	To            string `json:"to"`
}

const text = "bytes of a round: ü"

const timeout = 60 * time.Second

var ctx = context.Background()

func check(name string, run func() error) {
	outcome := map[string]string{"name": name}
	if err := run(); err != nil {
		outcome["error"] = err.Error()
	}
	line, _ := json.Marshal(outcome)
	fmt.Println(string(line))
}

func equal(actual, expected any, what string) error {
	if fmt.Sprint(actual) != fmt.Sprint(expected) {
		return fmt.Errorf("%s: expected %v, got %v", what, expected, actual)
	}
	return nil
}

func fetch(request *http.Request) (int, string, error) {
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

// notified waits until the event has been notified.
func notified(manager *api.ClientWithResponses, id uuid.UUID) (*api.EventDetails, error) {
	for end := time.Now().Add(timeout); ; time.Sleep(100 * time.Millisecond) {
		answer, err := manager.GetEventWithResponse(ctx, id)
		if err != nil {
			return nil, err
		}
		if answer.JSON200 != nil && answer.JSON200.Event.EventStatus == "notified" {
			return answer.JSON200, nil
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("%s is not notified: %s", id, answer.Body)
		}
	}
}

func main() {
	file, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var in input
	if err := json.Unmarshal(file, &in); err != nil {
		panic(err)
	}
	withKey := api.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
		request.Header.Set("x-api-key", in.ManagerKey)
		return nil
	})
	manager, err := api.NewClientWithResponses(in.ManagerURL, withKey)
	if err != nil {
		panic(err)
	}
	uploads, err := api.NewClientWithResponses(in.UploadBaseURL)
	if err != nil {
		panic(err)
	}
	var id uuid.UUID

	check("upload bytes, one event with its link", func() error {
		name := "round.txt"
		params := &api.UploadFileParams{Filename: &name}
		answer, err := uploads.UploadFileWithBodyWithResponse(
			ctx, params, "application/octet-stream", bytes.NewBufferString(text))
		if err != nil {
			return err
		}
		if answer.JSON201 == nil {
			return fmt.Errorf("no 201: %s", answer.Body)
		}
		id = answer.JSON201.EventId
		if err := equal(answer.JSON201.Size, len(text), "the size"); err != nil {
			return err
		}
		details, err := notified(manager, id)
		if err != nil {
			return err
		}
		request, err := http.NewRequest("GET", details.Download.Url, nil)
		if err != nil {
			return err
		}
		_, body, err := fetch(request)
		if err != nil {
			return err
		}
		return equal(body, text, "the file")
	})

	check("a signed upload, and its repetition once it has arrived", func() error {
		name, key := "signed.txt", "round-"+id.String()
		params := &api.CreateUploadParams{IdempotencyKey: &key}
		body := api.UploadRequest{Filename: &name, Size: int64(len(text))}
		answer, err := manager.CreateUploadWithResponse(ctx, params, body)
		if err != nil {
			return err
		}
		signed := answer.JSON201
		if signed == nil || signed.Url == nil || signed.Method == nil || signed.Headers == nil {
			return fmt.Errorf("no signed request: %s", answer.Body)
		}
		request, err := http.NewRequest(string(*signed.Method), *signed.Url, bytes.NewBufferString(text))
		if err != nil {
			return err
		}
		for name, value := range *signed.Headers {
			request.Header.Set(name, value)
		}
		status, sent, err := fetch(request)
		if err != nil {
			return err
		}
		if err := equal(status, 200, "S3's status, "+sent); err != nil {
			return err
		}
		if _, err := notified(manager, signed.EventId); err != nil {
			return err
		}
		again, err := manager.CreateUploadWithResponse(ctx, params, body)
		if err != nil {
			return err
		}
		if again.JSON200 == nil || again.JSON200.EventStatus == nil || again.JSON200.Url != nil {
			return fmt.Errorf("the repetition: %s", again.Body)
		}
		return equal(*again.JSON200.EventStatus, "notified", "the status of the repetition")
	})

	check("a size above 2^32", func() error {
		answer, err := manager.CreateUploadWithResponse(
			ctx, nil, api.UploadRequest{Size: 5 * 1024 * 1024 * 1024})
		if err != nil {
			return err
		}
		return equal((*answer.JSON201.Headers)["Content-Length"], "5368709120", "the signed length")
	})

	check("a list with a filter, by its cursor", func() error {
		status, limit := api.EventStatus("notified"), 1
		params := &api.ListEventsParams{Status: &status, Limit: &limit}
		first, err := manager.ListEventsWithResponse(ctx, params)
		if err != nil {
			return err
		}
		params.Cursor = first.JSON200.NextCursor
		second, err := manager.ListEventsWithResponse(ctx, params)
		if err != nil {
			return err
		}
		one, other := first.JSON200.Events, second.JSON200.Events
		if len(one) != 1 || len(other) != 1 || one[0].EventId == other[0].EventId {
			return fmt.Errorf("two pages: %s %s", first.Body, second.Body)
		}
		return nil
	})

	check("retry, and an error", func() error {
		answer, err := manager.RetryEventWithResponse(ctx, uuid.MustParse(in.FailedID))
		if err != nil {
			return err
		}
		if answer.JSON200 == nil || answer.JSON200.EventStatus != "processed" {
			return fmt.Errorf("retry: %s", answer.Body)
		}
		missing, err := manager.GetEventWithResponse(
			ctx, uuid.MustParse("00000000-0000-4000-8000-000000000000"))
		if err != nil {
			return err
		}
		return equal(missing.JSON404.Error.Code, "event_not_found", "the error's code")
	})

	check("bulk retry of a span", func() error {
		params := &api.RetryEventsParams{Status: "failed", From: &in.From, To: &in.To}
		answer, err := manager.RetryEventsWithResponse(ctx, params)
		if err != nil {
			return err
		}
		if answer.JSON200 == nil || answer.JSON200.Matched != 1 || answer.JSON200.Moved != 1 {
			return fmt.Errorf("matched and moved: %s", answer.Body)
		}
		return nil
	})

	check("delete", func() error {
		answer, err := manager.DeleteEventWithResponse(ctx, id)
		if err != nil {
			return err
		}
		if err := equal(answer.StatusCode(), 204, "the status"); err != nil {
			return err
		}
		missing, err := manager.GetEventWithResponse(ctx, id)
		if err != nil {
			return err
		}
		return equal(missing.JSON404.Error.Code, "event_not_found", "the error's code")
	})

	check("stats", func() error {
		answer, err := manager.GetStatsWithResponse(ctx)
		if err != nil {
			return err
		}
		if answer.JSON200 == nil || answer.JSON200.Counts.Notified < 1 {
			return fmt.Errorf("the counts: %s", answer.Body)
		}
		return nil
	})
}
