package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.linux.kvm.VcpuExit;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("a guest's run: ended by itself, or by Ctrl-C whenever it comes; its console is bytes")
class GuestRunTest {
  private static final VcpuExit OFF = new VcpuExit.SystemEvent(VcpuExit.SystemEvent.Kind.SHUTDOWN);

  private final List<String> happened = Collections.synchronizedList(new ArrayList<>());
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final CountDownLatch typed = new CountDownLatch(1);

  /// A guest that does one thing.
  private abstract class Fake implements GuestRun.Guest {
    @Override
    public void stop() {
      happened.add("stop");
      stopped.countDown();
    }

    @Override
    public void type(int character) {
      happened.add("type " + character);
      typed.countDown();
    }

    @Override
    public void close() {
      happened.add("close");
    }
  }

  private static GuestRun over(Ending ending, int... input) {
    byte[] bytes = new byte[input.length];
    for (int i = 0; i < input.length; i++) {
      bytes[i] = (byte) input[i];
    }
    return new GuestRun(ending, new ByteArrayInputStream(bytes));
  }

  @Test
  @DisplayName(
      "Ctrl-C while the function is being taken: the guest that was made is stopped and closed")
  void askedWhileOpening() throws InterruptedException {
    Ending ending = Ending.byHand();
    VcpuExit end =
        over(ending)
            .run(() -> {
              ending.ask();
              return new Fake() {
                @Override
                public VcpuExit run() throws InterruptedException {
                  stopped.await();
                  return new VcpuExit.Stopped();
                }
              };
            });
    assertEquals(new VcpuExit.Stopped(), end);
    assertEquals(List.of("stop", "close"), happened);
  }

  @Test
  @DisplayName("a guest that switches itself off is closed and not stopped")
  void endsByItself() throws InterruptedException {
    VcpuExit end =
        over(Ending.byHand())
            .run(() ->
                new Fake() {
                  @Override
                  public VcpuExit run() {
                    return OFF;
                  }
                });
    assertEquals(OFF, end);
    assertEquals(List.of("close"), happened);
  }

  @Test
  @DisplayName("what is typed reaches the guest as bytes")
  void types() throws InterruptedException {
    over(Ending.byHand(), 0xc3)
        .run(() ->
            new Fake() {
              @Override
              public VcpuExit run() throws InterruptedException {
                typed.await();
                return OFF;
              }
            });
    assertEquals(List.of("type 195", "close"), happened);
  }

  @Test
  @DisplayName(
      "a refusal that an access of the guest met is told as itself, a defect as what it is")
  void refusals() {
    RuntimeException refusal =
        new MsiControllerFailed("its@0x8080000", "did not stop", Source.rule("GITS_CTLR"));
    assertSame(refusal, assertThrows(RuntimeException.class, () -> failing(refusal)));
    RuntimeException defect = new IllegalArgumentException("planted");
    assertSame(defect, assertThrows(RuntimeException.class, () -> failing(defect)).getCause());
    assertEquals(List.of("close", "close"), happened);
  }

  private void failing(RuntimeException cause) throws InterruptedException {
    over(Ending.byHand())
        .run(() ->
            new Fake() {
              @Override
              public VcpuExit run() {
                throw new IllegalStateException("vcpu 0 ended", cause);
              }
            });
  }

  @Test
  @DisplayName("a prompt without an end of line is out at once; bytes from 0x80 up stay one byte")
  void rawBytes() {
    ByteArrayOutputStream seen = new ByteArrayOutputStream();
    GuestOutput out = new GuestOutput(new BufferedOutputStream(seen));
    for (int c : new int[] {'$', ' ', 0xc3, 0xa4, 0xff}) {
      out.print(c);
    }
    assertArrayEquals(
        new byte[] {'$', ' ', (byte) 0xc3, (byte) 0xa4, (byte) 0xff}, seen.toByteArray());
    assertTrue(out.failure().isEmpty());
  }

  @Test
  @DisplayName("an output that is gone is noted once, and the guest goes on")
  void outputGone() {
    List<Integer> tried = new ArrayList<>();
    GuestOutput out =
        new GuestOutput(
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                tried.add(b);
                throw new IOException("Broken pipe");
              }
            });
    out.print('a');
    out.print('b');
    assertEquals("Broken pipe", out.failure().orElseThrow().getMessage());
    assertEquals(List.of((int) 'a'), tried);
  }
}
