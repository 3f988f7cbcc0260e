package dev.doorbell.hw.pcie;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.pci.MessageTable;
import java.util.BitSet;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCIe 6.1.4: what may be sent without the function's lock")
class ReadyMessagesTest {
  private static final int VECTORS = 3;

  private final Hardware hardware = new Hardware();
  private final ReadyMessages ready = new ReadyMessages(VECTORS);
  private int seen;

  /// Every vector writes the number to the number times 4096; vector 1 is masked.
  private static final class Hardware implements MessageModel {
    private int number = 5;
    private Runnable during = () -> {};

    @Override
    public MessageTable.Kind kind() {
      return MessageTable.Kind.MSIX;
    }

    @Override
    public boolean isOn() {
      return true;
    }

    @Override
    public int vectors() {
      return VECTORS;
    }

    @Override
    public boolean isMasked(int vector) {
      return vector == 1;
    }

    @Override
    public long address(int vector) {
      during.run();
      return number * 4096L;
    }

    @Override
    public int data(int vector) {
      return number;
    }

    @Override
    public BitSet pending() {
      return new BitSet();
    }

    @Override
    public void reset() {
      number = 0;
    }
  }

  private long datum(int vector) {
    return ready.datum(vector, ready.version());
  }

  private void refresh() {
    ready.refresh(Optional.of(hardware));
  }

  @Test
  @DisplayName("vectors that are on, exist and are not masked, a datum of 0 among them")
  void whichAreReady() {
    assertFalse(ReadyMessages.isReady(datum(0)));
    refresh();
    assertTrue(ReadyMessages.isReady(datum(0)));
    assertFalse(ReadyMessages.isReady(datum(1)));
    assertTrue(ReadyMessages.isReady(datum(2)));
    assertFalse(ReadyMessages.isReady(datum(3)));
    assertFalse(ReadyMessages.isReady(datum(-1)));
    assertEquals(0x5000, ready.address(2));
    assertEquals(5, (int) datum(2));
    hardware.reset();
    ready.refresh(Optional.of(hardware), 2);
    assertTrue(ReadyMessages.isReady(datum(2)));
    assertEquals(0, (int) datum(2));
    ready.refresh(Optional.empty());
    assertFalse(ReadyMessages.isReady(datum(0)));
    assertFalse(ReadyMessages.isReady(datum(2)));
  }

  @Test
  @DisplayName("an address and a datum with a change between them are not taken for one message")
  void changesAreSeen() {
    refresh();
    long begun = ready.version();
    assertEquals(0x5000, ready.address(0));
    assertTrue(ReadyMessages.isReady(ready.datum(0, begun)));
    hardware.number = 6;
    ready.refresh(Optional.of(hardware), 0);
    assertFalse(ReadyMessages.isReady(ready.datum(0, begun)));
    assertEquals(6, (int) datum(0));
    long again = ready.version();
    assertEquals(0x6000, ready.address(0));
    assertTrue(ReadyMessages.isReady(ready.datum(0, again)));
    ready.refresh(Optional.empty());
    assertFalse(ReadyMessages.isReady(ready.datum(0, again)));
  }

  @Test
  @DisplayName("nothing is ready while entries change")
  void whileTheyChange() {
    refresh();
    hardware.during =
        () -> {
          assertFalse(ReadyMessages.isReady(datum(0)));
          assertFalse(ReadyMessages.isReady(datum(2)));
          seen++;
        };
    refresh();
    assertNotEquals(0, seen);
  }
}
