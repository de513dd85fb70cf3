import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import {
  ConfirmSubscriptionCommand,
  GetSubscriptionAttributesCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListSubscriptionsCommand,
  PublishCommand,
  SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import { expect } from "chai";
import type { CloudOptions } from "../../cloud";
import type { OpenMail } from "../../mail/mailbox";
import { provision } from "../../resources";
import { openCloud, REGION, type TestCloud } from "../testCloud";

const CONFIRMATION = "AWS Notification - Subscription Confirmation";

describe("an e-mail subscription", () => {
  let test: TestCloud;
  let client: SNSClient;
  let TopicArn: string;

  const open = async (options: Partial<CloudOptions> = {}) => {
    test = await openCloud(options);
    const { endpoint, roles } = test.cloud;
    client = new SNSClient({ endpoint, region: REGION, credentials: roles.operator });
    TopicArn = test.cloud.sns.createTopic("done");
  };
  const close = async () => {
    client.destroy();
    await test.close();
  };
  beforeEach(() => open());
  afterEach(close);

  const start = () => {
    test.cloud.start([]);
  };
  const subscribe = (Endpoint: string, extra: object = {}) =>
    client.send(new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint, ...extra }));
  const publish = (Message: string) => client.send(new PublishCommand({ TopicArn, Message }));
  /** The mails to an address, the oldest first. */
  const mailsTo = async (address: string): Promise<OpenMail[]> => {
    const mails = (await test.cloud.mailbox.list()).filter(({ to }) => to === address);
    const read = await Promise.all(mails.reverse().map(({ id }) => test.cloud.mailbox.read(id)));
    return read.filter((mail) => mail !== undefined);
  };
  const subjectsTo = async (address: string) =>
    (await mailsTo(address)).map(({ subject }) => subject);
  const linkIn = (text: string): string => /http:\S+/.exec(text)?.[0] ?? "no link";
  const failureOf = (call: Promise<unknown>) =>
    call.then(
      () => "done",
      (error: unknown) => (error as Error).name,
    );

  it("is pending until its link is opened, and ended by the link in its mails", async () => {
    start();
    const { SubscriptionArn } = await subscribe("a@example.com");
    await publish("too early");
    const [confirmation] = await mailsTo("a@example.com");
    const listed = await client.send(new ListSubscriptionsCommand({}));
    const { Attributes: before } = await client.send(new GetTopicAttributesCommand({ TopicArn }));

    expect(SubscriptionArn).to.equal("pending confirmation");
    expect(confirmation?.subject).to.equal(CONFIRMATION);
    expect(confirmation?.text).to.contain(TopicArn).and.not.to.contain("stop receiving");
    expect(listed.Subscriptions).to.deep.equal([
      {
        SubscriptionArn: "PendingConfirmation",
        Owner: "000000000000",
        Protocol: "email",
        Endpoint: "a@example.com",
        TopicArn,
      },
    ]);
    expect(before).to.include({ SubscriptionsConfirmed: "0", SubscriptionsPending: "1" });

    const link = linkIn(confirmation?.text ?? "");
    expect((await fetch(link, { method: "HEAD" })).status, "HEAD").to.equal(405);
    const inbox = await fetch(`${test.cloud.inboxUrl}/${confirmation?.id ?? ""}`);
    expect(await inbox.text()).to.contain(`<a href="${link.replaceAll("&", "&amp;")}">`);
    const page = await fetch(link);
    await publish("hello");
    const { Subscriptions } = await client.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    const arn = Subscriptions?.[0]?.SubscriptionArn ?? "";
    const { Attributes } = await client.send(
      new GetSubscriptionAttributesCommand({ SubscriptionArn: arn }),
    );
    const [, mail] = await mailsTo("a@example.com");

    expect(page.status).to.equal(200);
    expect(await page.text())
      .to.contain("Subscription confirmed!")
      .and.contain(arn);
    expect(arn).to.match(new RegExp(`^${TopicArn}:[0-9a-f-]{36}$`));
    expect(Attributes).to.include({ PendingConfirmation: "false" });
    expect(mail?.text).to.match(/^hello\n\n--\nIf you wish to stop receiving/);

    const removed = await fetch(linkIn(mail?.text ?? ""));
    await publish("too late");
    expect(await removed.text()).to.contain("Subscription removed!");
    expect((await fetch(linkIn(mail?.text ?? ""))).status).to.equal(404);
    expect(await subjectsTo("a@example.com")).to.have.length(2);
  });

  it("is confirmed by the API with the token of the mail, and with no other", async () => {
    const { SubscriptionArn: pending } = await subscribe("a@example.com", {
      ReturnSubscriptionArn: true,
    });
    const [mail] = await mailsTo("a@example.com");
    const Token = new URL(linkIn(mail?.text ?? "")).searchParams.get("Token") ?? "";
    const confirm = (input: object) =>
      client.send(new ConfirmSubscriptionCommand({ TopicArn, Token, ...input }));
    const other = test.cloud.sns.createTopic("other");

    expect(await failureOf(confirm({ Token: "x" }))).to.equal("InvalidParameterException");
    expect(await failureOf(confirm({ Token: pending }))).to.equal("InvalidParameterException");
    expect(await failureOf(confirm({ TopicArn: other }))).to.equal("InvalidParameterException");
    expect((await confirm({})).SubscriptionArn).to.equal(pending);
    expect((await confirm({})).SubscriptionArn).to.equal(pending);
    expect((await subscribe("a@example.com")).SubscriptionArn).to.equal(pending);
    expect(await subjectsTo("a@example.com")).to.deep.equal([CONFIRMATION]);

    await client.send(new UnsubscribeCommand({ SubscriptionArn: pending }));
    const unsubscribe = (SubscriptionArn = "") =>
      failureOf(client.send(new UnsubscribeCommand({ SubscriptionArn })));
    expect(await unsubscribe(pending)).to.equal("NotFoundException");
    expect(await unsubscribe("PendingConfirmation")).to.equal("InvalidParameterException");
    expect((await subscribe("a@example.com")).SubscriptionArn).to.equal("pending confirmation");
  });

  it("is refused for what is not delivered: other protocols, filter policies", async () => {
    for (const Protocol of ["https", "lambda", "sms", "email-json"]) {
      expect(await failureOf(subscribe("x", { Protocol })), Protocol).to.equal("NotImplemented");
    }
    const filtered = { Attributes: { FilterPolicy: "{}" } };
    expect(await failureOf(subscribe("a@example.com", filtered))).to.equal("NotImplemented");
    expect(await failureOf(subscribe("x", { Protocol: "pigeon" }))).to.match(/^InvalidParameter/);
  });

  it("of the program is confirmed at the start, or asked for where the run wants it", async () => {
    const declare = () =>
      test.make("sns/topicSubscription:TopicSubscription", "mail", {
        topic: TopicArn,
        protocol: "email",
        endpoint: "a@example.com",
      });
    expect(await declare()).to.include({ pendingConfirmation: false });
    await publish("hello");
    expect(await subjectsTo("a@example.com")).to.deep.equal(["AWS Notification Message"]);
    await close();

    const mailed = new Promise<void>((resolve) => {
      void open({
        confirmSubscriptions: true,
        onMail: () => {
          resolve();
        },
      }).then(async () => {
        expect(await declare()).to.include({ pendingConfirmation: true });
        start();
      });
    });
    await mailed;
    expect(await subjectsTo("a@example.com")).to.deep.equal([CONFIRMATION]);
  });

  it("and the keys of a run stay as they are with a data folder", async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), "confirmation-"));
    const state = async () => {
      const { roles, sns } = test.cloud;
      const own = sns.subscribeEmail(TopicArn, "own@example.com");
      const { value } = await test.make("apigateway/apiKey:ApiKey", "manager", {});
      const type = "random:index/randomBytes:RandomBytes";
      const bytes = await provision({ type, name: "b", inputs: { length: 40 } }, test.cloud);
      const hex = String(bytes.state?.hex);
      const { Subscriptions } = await client.send(new ListSubscriptionsCommand({}));
      return { keys: roles.operator, value, hex, own, Subscriptions };
    };
    const without = await state();
    try {
      await close();
      await open({ dataDir });
      expect(test.cloud.sns.subscribeEmail(TopicArn, "own@example.com").isPending).to.equal(false);
      await close();
      await open({ dataDir, confirmSubscriptions: true });
      const { arn } = test.cloud.sns.subscribeEmail(TopicArn, "own@example.com");
      await subscribe("a@example.com");
      await subscribe("b@example.com");
      const [mail] = await mailsTo("b@example.com");
      start();
      await fetch(linkIn(mail?.text ?? ""));
      const before = await state();
      await close();

      await open({ dataDir, confirmSubscriptions: true });
      const after = await state();

      expect(after).to.deep.equal(before);
      expect(after.hex).to.have.length(80);
      expect(before.own).to.deep.equal({ arn, isPending: true });
      expect(after.keys).not.to.deep.equal(without.keys);
      expect([after.value, after.hex]).not.to.include(without.value).and.not.include(without.hex);
      await publish("hello");
      const addresses = ["own@example.com", "a@example.com", "b@example.com"];
      const subjects = await Promise.all(addresses.map(subjectsTo));
      expect(subjects).to.deep.equal([[], [], ["AWS Notification Message"]]);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
