import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeDefinition;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.KeySchemaElement;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.ProjectionType;
import software.amazon.awssdk.services.dynamodb.model.ReturnValue;
import software.amazon.awssdk.services.dynamodb.model.ReturnValuesOnConditionCheckFailure;
import software.amazon.awssdk.services.dynamodb.model.ScalarAttributeType;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;
import software.amazon.awssdk.transfer.s3.S3TransferManager;

/**
 * The AWS SDK for Java v2 against a local run. Prints each check as one line of JSON, which
 * clients/suites/programs.ts reads. Arguments: a file of 60 MB, a JSON file with odd keys.
 */
public class Client {
  private static final String BUCKET = "clients-java";

  private interface Check {
    void run() throws Exception;
  }

  /** Runs one check and prints its outcome. */
  private static void check(String name, Check check) {
    String error = "";
    try {
      check.run();
    } catch (Exception | AssertionError thrown) {
      error = ",\"error\":" + json(String.valueOf(thrown));
    }
    System.out.println("{\"name\":" + json(name) + error + "}");
  }

  private static String json(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      boolean plain = c >= ' ' && c < 127 && c != '"' && c != '\\';
      quoted.append(plain ? String.valueOf(c) : String.format("\\u%04x", (int) c));
    }
    return quoted.append('"').toString();
  }

  /** The texts of an array of JSON. */
  private static List<String> strings(String array) {
    List<String> texts = new ArrayList<>();
    var literals = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(array);
    while (literals.find()) {
      String text = literals.group(1);
      text = Pattern.compile("\\\\u([0-9a-fA-F]{4})").matcher(text)
          .replaceAll(code -> "" + (char) Integer.parseInt(code.group(1), 16));
      texts.add(text.translateEscapes());
    }
    return texts;
  }

  private static void equal(Object actual, Object expected, String what) {
    if (!expected.equals(actual)) {
      throw new AssertionError(what + ": expected " + expected + ", got " + actual);
    }
  }

  /** Makes a call that has to be refused with this code. */
  private static void refused(String code, Check call) throws Exception {
    try {
      call.run();
    } catch (AwsServiceException error) {
      equal(error.awsErrorDetails().errorCode(), code, "the error's code");
      return;
    }
    throw new AssertionError("expected the error " + code + ", got an answer");
  }

  public static void main(String[] arguments) throws Exception {
    Path large = Path.of(arguments[0]);
    List<String> keys = strings(Files.readString(Path.of(arguments[1])));
    try (S3Client s3 = S3Client.builder().forcePathStyle(true).build()) {
      checkObjects(s3, keys);
      checkTransfers(s3, large);
      checkRequests(s3);
    }
    checkTable();
  }

  private static String contentOf(S3Client s3, String key) {
    return s3.getObjectAsBytes(get -> get.bucket(BUCKET).key(key)).asUtf8String();
  }

  private static void checkObjects(S3Client s3, List<String> keys) {
    check("a bucket is created", () -> {
      s3.createBucket(create -> create.bucket(BUCKET));
      s3.headBucket(head -> head.bucket(BUCKET));
    });
    for (String key : keys) {
      check("the key " + json(key) + ": put, get, copy", () -> {
        s3.putObject(put -> put.bucket(BUCKET).key(key), RequestBody.fromString(key));
        equal(contentOf(s3, key), key, "the content");
        s3.copyObject(copy -> copy
            .sourceBucket(BUCKET).sourceKey(key).destinationBucket(BUCKET).destinationKey("copy/" + key));
        equal(contentOf(s3, "copy/" + key), key, "the copy");
      });
    }
    check("pages of listings, DeleteObjects", () -> {
      // XML 1.0 cannot hold it, and this client does not ask for encoded keys.
      for (String key : List.of("bell\u0007.txt", "copy/bell\u0007.txt")) {
        s3.deleteObject(delete -> delete.bucket(BUCKET).key(key));
      }
      List<String> listable = keys.stream().filter(key -> !key.contains("\u0007")).collect(Collectors.toList());
      List<String> listed = s3.listObjectsV2Paginator(list -> list.bucket(BUCKET).maxKeys(7)).contents().stream()
          .map(S3Object::key).collect(Collectors.toList());
      equal(listed.size(), 2 * listable.size(), "the number of keys");
      equal(listed.containsAll(listable), true, "all keys are listed");
      List<ObjectIdentifier> objects = listed.stream()
          .map(key -> ObjectIdentifier.builder().key(key).build()).collect(Collectors.toList());
      equal(s3.deleteObjects(delete -> delete.bucket(BUCKET).delete(all -> all.objects(objects))).errors().size(),
          0, "the errors");
      equal(s3.listObjectsV2(list -> list.bucket(BUCKET)).keyCount(), 0, "the keys that are left");
    });
  }

  private static void checkTransfers(S3Client s3, Path large) {
    check("60 MB by S3TransferManager: upload in parts, download, copy, of a stream", () -> {
      try (S3AsyncClient client = S3AsyncClient.builder().forcePathStyle(true).multipartEnabled(true).build();
          S3TransferManager transfers = S3TransferManager.builder().s3Client(client).build()) {
        String key = "it's large & odd.bin";
        transfers.uploadFile(upload -> upload.source(large).putObjectRequest(put -> put.bucket(BUCKET).key(key)))
            .completionFuture().join();
        transfers.copy(copy -> copy.copyObjectRequest(request -> request
            .sourceBucket(BUCKET).sourceKey(key).destinationBucket(BUCKET).destinationKey("copied.bin")))
            .completionFuture().join();
        Path down = large.resolveSibling("java down.bin");
        transfers.downloadFile(download -> download.destination(down)
            .getObjectRequest(get -> get.bucket(BUCKET).key("copied.bin"))).completionFuture().join();
        equal(Files.mismatch(down, large), -1L, "the first byte that differs");
        client.putObject(put -> put.bucket(BUCKET).key("stream.bin"),
            AsyncRequestBody.fromInputStream(Files.newInputStream(large), null,
                java.util.concurrent.Executors.newSingleThreadExecutor(task -> {
                  Thread thread = new Thread(task);
                  thread.setDaemon(true);
                  return thread;
                }))).join();
        equal(s3.headObject(head -> head.bucket(BUCKET).key("stream.bin")).contentLength(), Files.size(large),
            "the stream's length");
      }
    });
  }

  private static void checkRequests(S3Client s3) {
    check("checksums of each algorithm", () -> {
      for (ChecksumAlgorithm algorithm : List.of(ChecksumAlgorithm.CRC32, ChecksumAlgorithm.CRC32_C,
          ChecksumAlgorithm.SHA1, ChecksumAlgorithm.SHA256)) {
        s3.putObject(put -> put.bucket(BUCKET).key("checked").checksumAlgorithm(algorithm),
            RequestBody.fromString("content"));
        var answer = s3.getObjectAsBytes(get -> get.bucket(BUCKET).key("checked").checksumMode(ChecksumMode.ENABLED));
        var sums = answer.response();
        equal(Arrays.asList(sums.checksumCRC32(), sums.checksumCRC32C(), sums.checksumSHA1(), sums.checksumSHA256())
            .stream().filter(sum -> sum != null).count(), 1L, algorithm + ": the checksums");
      }
    });
    check("presigned GET and PUT", () -> {
      try (S3Presigner presigner = S3Presigner.builder().s3Client(s3).build()) {
        String key = "presigned 'ü'+ &//.txt";
        var put = presigner.presignPutObject(sign -> sign.signatureDuration(java.time.Duration.ofMinutes(1))
            .putObjectRequest(request -> request.bucket(BUCKET).key(key)));
        equal(send(put.url().toURI(), "PUT", "content").statusCode(), 200, "the status of PUT");
        var get = presigner.presignGetObject(sign -> sign.signatureDuration(java.time.Duration.ofMinutes(1))
            .getObjectRequest(request -> request.bucket(BUCKET).key(key)));
        equal(send(get.url().toURI(), "GET", "").body(), "content", "the content");
      }
    });
    check("metadata, a condition, errors", () -> {
      Map<String, String> metadata = Map.of("color", "blue");
      s3.putObject(put -> put.bucket(BUCKET).key("described").metadata(metadata).ifNoneMatch("*"),
          RequestBody.fromString("x"));
      equal(s3.headObject(head -> head.bucket(BUCKET).key("described")).metadata(), metadata, "the metadata");
      refused("PreconditionFailed", () -> s3.putObject(
          put -> put.bucket(BUCKET).key("described").ifNoneMatch("*"), RequestBody.fromString("y")));
      refused("NoSuchKey", () -> contentOf(s3, "lacking"));
      var wrong = AwsBasicCredentials.create(System.getenv("AWS_ACCESS_KEY_ID"), "wrong");
      try (S3Client client = S3Client.builder().forcePathStyle(true)
          .credentialsProvider(StaticCredentialsProvider.create(wrong)).build()) {
        refused("SignatureDoesNotMatch", () -> client.listBuckets());
      }
    });
  }

  private static java.net.http.HttpResponse<String> send(URI url, String method, String body) throws Exception {
    var request = java.net.http.HttpRequest.newBuilder(url)
        .method(method, java.net.http.HttpRequest.BodyPublishers.ofString(body, UTF_8)).build();
    return java.net.http.HttpClient.newHttpClient()
        .send(request, java.net.http.HttpResponse.BodyHandlers.ofString(UTF_8));
  }

  private static AttributeValue text(String value) {
    return AttributeValue.fromS(value);
  }

  private static void checkTable() {
    String table = "clients-java";
    check("DynamoDB: create, put, query the index, scan, update, a failed condition", () -> {
      try (DynamoDbClient client = DynamoDbClient.create()) {
        client.createTable(create -> create.tableName(table).billingMode(BillingMode.PAY_PER_REQUEST)
            .attributeDefinitions(List.of("id", "status", "time").stream().map(name -> AttributeDefinition.builder()
                .attributeName(name).attributeType(ScalarAttributeType.S).build()).collect(Collectors.toList()))
            .keySchema(key("id", KeyType.HASH))
            .globalSecondaryIndexes(index -> index.indexName("time-index")
                .keySchema(key("status", KeyType.HASH), key("time", KeyType.RANGE))
                .projection(projection -> projection.projectionType(ProjectionType.ALL))));
        client.waiter().waitUntilTableExists(describe -> describe.tableName(table));
        for (String id : List.of("3", "1", "2")) {
          client.putItem(put -> put.tableName(table)
              .item(Map.of("id", text(id), "status", text("new"), "time", text(id))));
        }
        var queried = client.query(query -> query.tableName(table).indexName("time-index")
            .keyConditionExpression("#s = :s").expressionAttributeNames(Map.of("#s", "status"))
            .expressionAttributeValues(Map.of(":s", text("new"))));
        equal(queried.items().stream().map(item -> item.get("id").s()).collect(Collectors.toList()),
            List.of("1", "2", "3"), "the query");
        equal(client.scanPaginator(scan -> scan.tableName(table).limit(1)).items().stream().count(), 3L, "the scan");
        var one = Map.of("id", text("1"));
        var updated = client.updateItem(update -> update.tableName(table).key(one).updateExpression("ADD n :n")
            .expressionAttributeValues(Map.of(":n", AttributeValue.fromN("7"))).returnValues(ReturnValue.UPDATED_NEW));
        equal(updated.attributes(), Map.of("n", AttributeValue.fromN("7")), "the update");
        try {
          client.deleteItem(delete -> delete.tableName(table).key(one)
              .conditionExpression("attribute_not_exists(id)")
              .returnValuesOnConditionCheckFailure(ReturnValuesOnConditionCheckFailure.ALL_OLD));
          throw new AssertionError("expected a failed condition");
        } catch (ConditionalCheckFailedException error) {
          equal(error.item().get("n"), AttributeValue.fromN("7"), "the item of the failed condition");
        }
        refused("ResourceNotFoundException", () -> client.describeTable(describe -> describe.tableName("clients-lacking")));
      }
    });
  }

  private static KeySchemaElement key(String name, KeyType type) {
    return KeySchemaElement.builder().attributeName(name).keyType(type).build();
  }
}
