import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.File;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.UUID;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.EventsApi;
import org.openapitools.client.api.UploadsApi;
import org.openapitools.client.auth.ApiKeyAuth;
import org.openapitools.client.model.EventDetails;
import org.openapitools.client.model.EventPage;
import org.openapitools.client.model.EventStatus;
import org.openapitools.client.model.RetryManyAnswer;
import org.openapitools.client.model.SignedUpload;
import org.openapitools.client.model.Stats;
import org.openapitools.client.model.UnfinishedStatus;
import org.openapitools.client.model.UploadAnswer;
import org.openapitools.client.model.UploadRequest;

/** The whole round with the client of openapi-generator; prints each check as a line of JSON. */
public final class Round {
  private static final String TEXT = "bytes of a round: ü";
  private static final long TIMEOUT_MS = 60_000;
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private final EventsApi events;
  private final UploadsApi uploads;
  private UUID id;

  private Round(ApiClient client) {
    events = new EventsApi(client);
    uploads = new UploadsApi(client);
  }

  private interface Check {
    void run() throws Exception;
  }

  private static void check(String name, Check check) {
    JsonObject outcome = new JsonObject();
    outcome.addProperty("name", name);
    try {
      check.run();
    } catch (ApiException error) {
      outcome.addProperty("error", error.getMessage() + " " + error.getResponseBody());
    } catch (Exception error) {
      outcome.addProperty("error", error.toString());
    }
    System.out.println(outcome);
  }

  private static void equal(Object actual, Object expected, String what) {
    if (!Objects.equals(actual, expected)) {
      throw new IllegalStateException(what + ": expected " + expected + ", got " + actual);
    }
  }

  private EventDetails notified(UUID event) throws Exception {
    for (long end = System.currentTimeMillis() + TIMEOUT_MS; ; Thread.sleep(100)) {
      try {
        EventDetails details = events.getEvent(event);
        if (details.getEvent().getEventStatus() == EventStatus.NOTIFIED) {
          return details;
        }
      } catch (ApiException error) {
        // The bucket's event has not arrived yet.
        equal(error.getCode(), 404, "the status");
      }
      if (System.currentTimeMillis() > end) {
        throw new IllegalStateException(event + " is not notified");
      }
    }
  }

  private void assertNoEvent(UUID event) throws Exception {
    try {
      events.getEvent(event);
    } catch (ApiException error) {
      JsonObject body = JsonParser.parseString(error.getResponseBody()).getAsJsonObject();
      String code = body.getAsJsonObject("error").get("code").getAsString();
      equal(code, "event_not_found", "the error's code");
      return;
    }
    throw new IllegalStateException("There is an event " + event);
  }

  private void upload(File file) throws Exception {
    // The generated operation has the upload API's own URL.
    UploadAnswer answer = uploads.uploadFile(file, "round.txt", null, null);
    equal(answer.getSize(), file.length(), "the size");
    id = answer.getEventId();
    EventDetails details = notified(id);
    equal(details.getEvent().getEventInfo().getFileName(), "round.txt", "the name");
    HttpRequest request = HttpRequest.newBuilder(details.getDownload().getUrl()).build();
    String text = HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body();
    equal(text, TEXT, "the file");
  }

  private void signed(File file) throws Exception {
    UploadRequest body = new UploadRequest().filename("signed.txt").size(file.length());
    String key = "round-" + id;
    SignedUpload answer = uploads.createUpload(body, key);
    HttpRequest.BodyPublisher bytes = HttpRequest.BodyPublishers.ofByteArray(Files.readAllBytes(file.toPath()));
    HttpRequest.Builder request =
        HttpRequest.newBuilder(answer.getUrl()).method(answer.getMethod().getValue(), bytes);
    answer.getHeaders().forEach((name, value) -> {
      // Java's client sets it itself.
      if (!name.equals("Content-Length")) {
        request.header(name, value);
      }
    });
    equal(HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString()).statusCode(), 200, "S3");
    notified(answer.getEventId());
    SignedUpload again = uploads.createUpload(body, key);
    equal(again.getEventId(), answer.getEventId(), "the repetition");
    equal(again.getUrl(), null, "the repetition's URL");
    equal(again.getEventStatus(), EventStatus.NOTIFIED, "the status of the repetition");
  }

  private void large() throws Exception {
    SignedUpload answer = uploads.createUpload(new UploadRequest().size(5_368_709_120L), null);
    equal(answer.getHeaders().get("Content-Length"), "5368709120", "the signed length");
  }

  private void list() throws Exception {
    EventPage first = events.listEvents(EventStatus.NOTIFIED, null, null, null, 1, null, null);
    EventPage second =
        events.listEvents(EventStatus.NOTIFIED, null, null, null, 1, first.getNextCursor(), null);
    UUID one = first.getEvents().get(0).getEventId();
    equal(one.equals(second.getEvents().get(0).getEventId()), false, "the same event twice");
  }

  private void retry(String failed) throws Exception {
    UnfinishedStatus status = events.retryEvent(UUID.fromString(failed)).getEventStatus();
    equal(status, UnfinishedStatus.PROCESSED, "the status");
    assertNoEvent(UUID.fromString("00000000-0000-4000-8000-000000000000"));
  }

  private void retryMany(String from, String to) throws Exception {
    RetryManyAnswer answer = events.retryEvents("failed", from, to, null, null);
    equal(answer.getMatched(), 1L, "matched");
    equal(answer.getMoved(), 1L, "moved");
  }

  private void delete() throws Exception {
    events.deleteEvent(id);
    assertNoEvent(id);
  }

  private void stats() throws Exception {
    Stats stats = events.getStats();
    equal(stats.getCounts().getNotified() >= 1 && stats.getTotal() >= 1, true, "the counts");
  }

  public static void main(String[] args) throws Exception {
    JsonObject input = JsonParser.parseString(Files.readString(Path.of(args[0]))).getAsJsonObject();
    File file = Path.of(args[0]).resolveSibling("java.bin").toFile();
    Files.writeString(file.toPath(), TEXT);
    ApiClient client = new ApiClient();
    ((ApiKeyAuth) client.getAuthentication("managerKey"))
        .setApiKey(input.get("managerKey").getAsString());
    Round round = new Round(client);
    check("upload bytes, one event with its link", () -> round.upload(file));
    check("a signed upload, and its repetition once it has arrived", () -> round.signed(file));
    check("a size above 2^32", round::large);
    check("a list with a filter, by its cursor", round::list);
    check("retry, and an error", () -> round.retry(input.get("failedId").getAsString()));
    check(
        "bulk retry of a span",
        () -> round.retryMany(input.get("from").getAsString(), input.get("to").getAsString()));
    check("delete", round::delete);
    check("stats", round::stats);
    // The client's connections would keep the program running for a minute.
    System.exit(0);
  }
}
