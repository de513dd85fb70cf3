import * as pulumi from "@pulumi/pulumi";

/** What becomes of files and rows when the stack is destroyed, and which ones it starts with. */
export interface KeptArgs {
  /**
   * Whether `pulumi destroy` deletes stored files, and their rows with them.
   * @default true
   */
  deleteFilesOnDestroy?: boolean;
  /**
   * Names of a bucket and tables that a destroyed stack left, by logical name.
   * @default none
   */
  importKept?: Record<string, string>;
}

/** A component with resources that hold data. */
export interface KeepsData {
  /** Names of buckets and tables, by logical name. */
  readonly data: Record<string, pulumi.Output<string>>;
}

/**
 * The name and the options of a resource that holds data: where files are kept, it outlives the
 * stack. An imported one has to be given its name, as Pulumi would generate another.
 */
export function kept(logicalName: string, args: KeptArgs) {
  const { deleteFilesOnDestroy = true, importKept = {} } = args;
  const name = importKept[logicalName];
  return { name, opts: { retainOnDelete: !deleteFilesOnDestroy, import: name } };
}

/**
 * The stack's output that the setting `importKept` of another stack takes; none where destroying
 * deletes everything.
 *
 * @throws RunError for a name in `importKept` that no component has
 */
export function keptResources(
  components: KeepsData[],
  { deleteFilesOnDestroy = true, importKept = {} }: KeptArgs,
): { keptResources?: pulumi.Output<Record<string, string>> } {
  const data = Object.fromEntries(components.flatMap((each) => Object.entries(each.data)));
  const unknown = Object.keys(importKept).find((name) => !Object.hasOwn(data, name));
  if (unknown !== undefined) {
    throw new pulumi.RunError(
      `The setting "importKept" has the name ${JSON.stringify(unknown)}; allowed: ` +
        `${Object.keys(data).join(", ")}, as the output "keptResources" of the destroyed stack.`,
    );
  }
  return deleteFilesOnDestroy ? {} : { keptResources: pulumi.all(data) };
}
