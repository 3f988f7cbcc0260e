package dev.doorbell.capture;

import dev.doorbell.firmware.Sysroot;
import dev.doorbell.fuzz.FuzzInput;
import dev.doorbell.testkit.ProjectRoot;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Files of any content, blanked: nothing moves, and what has been blanked once stays as it is, but for damaged trees.
public final class CaptureFuzz {
  private static final Secrets SECRETS =
      Secrets.of(Sysroot.open(ProjectRoot.path().resolve("samples/two-its")));
  private static final int KINDS = 5;
  private static final int TREE = 2;

  private CaptureFuzz() {}

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    int kind = in.next8() % KINDS;
    byte[] file = in.next(input.length);
    byte[] once = scrubbed(kind, file);
    if (once.length != file.length) {
      throw new IllegalStateException("%d bytes became %d".formatted(file.length, once.length));
    }
    // A damaged tree's strings may lie within its own structure: blanking those changes what is
    // read next time.
    if (kind != TREE && !Arrays.equals(once, scrubbed(kind, once))) {
      throw new IllegalStateException("what has been blanked is blanked again, kind " + kind);
    }
  }

  private static byte[] scrubbed(int kind, byte[] file) {
    TextScrubber texts = new TextScrubber(SECRETS);
    byte[] bytes = file.clone();
    switch (kind) {
      case 0 -> ConfigScrubber.scrub(bytes);
      case 1 -> DumpScrubber.scrub(bytes);
      case TREE -> {
        if (TreeScrubber.isTree(bytes)) {
          TreeScrubber.scrub(bytes, texts);
        }
      }
      default -> {
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        return texts.scrub(text, kind == 3).getBytes(StandardCharsets.ISO_8859_1);
      }
    }
    return bytes;
  }
}
