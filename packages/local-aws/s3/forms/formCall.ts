import { AwsError } from "../../awsError";
import type { SelfSignedCall } from "../../gateway/service";
import type { HttpRequest } from "../../http";
import type { BucketPath } from "../address";
import type { S3 } from "../engine";
import { formGrants } from "../grants";
import { refuseChunkedForm } from "../request";
import { verifyPostForm } from "./policySignature";
import { isPostForm, type PostForm, readPostForm } from "./postForm";
import { checkPostPolicy } from "./postPolicy";

/** Whether a request uploads a form to a bucket. */
export function isFormUpload({ method, headers }: HttpRequest, { key }: BucketPath): boolean {
  return method === "POST" && key === "" && isPostForm(headers["content-type"]);
}

/** A form upload: it is signed by its policy, which also says what may be in the form. */
export function formCall(
  s3: Pick<S3, "handle" | "hasBucket">,
  bucket: string,
  request: HttpRequest,
): SelfSignedCall {
  let read: PostForm | undefined;
  const form = (): PostForm => {
    refuseChunkedForm(request);
    return (read ??= readPostForm(request.headers["content-type"], request));
  };
  return {
    operation: "s3:PostObject",
    verify: (secretOf, region) => {
      if (!s3.hasBucket(bucket)) {
        throw new AwsError("NoSuchBucket", 404, "The specified bucket does not exist", {
          BucketName: bucket,
        });
      }
      return verifyPostForm(form(), secretOf, region);
    },
    grants: () => {
      checkPostPolicy(form(), bucket, new Date());
      return formGrants(bucket, form());
    },
    forward: ({ arn }) => s3.handle(request, { form: form(), principalArn: arn }),
  };
}
