package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.smmuv3.SmmuTimeoutException;
import dev.doorbell.hw.smmuv3.SmmuUnsupportedException;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.testkit.Json;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// A command that ends because hardware or a driver failed.
class FailureStatusTest {
  @Command(name = "fail")
  private static final class Fail implements Callable<Integer> {
    private final Supplier<Integer> with;

    @Option(names = "--json")
    private boolean json;

    Fail(Supplier<Integer> with) {
      this.with = with;
    }

    @Override
    public Integer call() {
      return with.get();
    }
  }

  private static Run run(RuntimeException e, String... args) {
    return run(
        () -> {
          throw e;
        },
        args);
  }

  private static Run run(Supplier<Integer> call, String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    DoorbellCommand command =
        new DoorbellCommand(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            false,
            Surroundings.with(Ending.byHand()));
    command.add(new Fail(call));
    int status = command.execute(args);
    return new Run(status, out.toString(), err.toString());
  }

  private static final List<RuntimeException> HARDWARE =
      List.of(
          new SmmuTimeoutException("smmu@0x9050000", "SMMU_CR0ACK = 0x1", 0, 1000),
          new SmmuUnsupportedException("smmu@0x9050000", "SMMU_IDR0", 0, "TTF is 0"),
          new MsiControllerFailed("its@0x8080000", "did not stop", Source.rule("GITS_CTLR")),
          new BusErrorException("read", 0x905_0000, 4),
          new OutOfFramesException(4096, 0));

  @Test
  @DisplayName(
      "section 6: hardware that fails is exit 1 with its sentence, source and advice, and no stack trace")
  void sentence() {
    for (RuntimeException e : HARDWARE) {
      Run r = run(e, "fail");
      assertEquals(1, r.status(), e.toString());
      assertTrue(r.err().startsWith("doorbell: " + e.getMessage()), r.err());
      assertTrue(r.err().contains("advice: "), r.err());
      assertFalse(r.err().contains("\tat "), r.err());
    }
  }

  @Test
  @DisplayName(
      "section 6: no memory or no stack is exit 3 and one document, not the 1 that Java ends with")
  void machineErrors() {
    for (VirtualMachineError e :
        List.of(new OutOfMemoryError("Java heap space"), new StackOverflowError())) {
      Run r =
          run(
              () -> {
                throw e;
              },
              "fail",
              "--json");
      assertEquals(3, r.status());
      assertEquals("InternalError", Json.parse(r.out()).get("error").get("type").text());
    }
  }

  @Test
  @DisplayName("section 6: under --json it is one document with its type, source and advice")
  void document() {
    for (RuntimeException e : HARDWARE) {
      Run r = run(e, "fail", "--json");
      assertEquals(1, r.status(), e.toString());
      assertEquals(
          e.getClass().getSimpleName(), Json.parse(r.out()).get("error").get("type").text());
      assertTrue(r.out().contains("\"advice\""), r.out());
      assertEquals("", r.err());
    }
  }

  @Test
  @DisplayName("section 6: a defect of the program stays exit 3")
  void defect() {
    assertEquals(3, run(new IllegalStateException("planted"), "fail").status());
  }
}
