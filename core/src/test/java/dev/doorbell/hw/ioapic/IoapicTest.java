package dev.doorbell.hw.ioapic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.hw.LayoutSource;
import dev.doorbell.testkit.Property;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("82093AA 3: an I/O APIC's registers, and the messages of its pins")
class IoapicTest {
  private static final int SELECT = 0x00;
  private static final int WINDOW = 0x10;
  private static final int EOI = 0x40;
  private static final int LEVEL = 0x8000;
  private static final int REMOTE_IRR = 0x4000;
  private static final int LOW_ACTIVE = 0x2000;
  private static final int MASKED = 0x1_0000;

  private final List<Long> sent = new ArrayList<>();
  private boolean taken = true;
  private final IoapicModel model =
      new IoapicModel(
          24,
          (address, data) -> {
            sent.add(address << Integer.SIZE | data);
            return taken;
          });

  private void set(int index, int value) {
    model.write(SELECT, index, 4, -1);
    model.write(WINDOW, Integer.toUnsignedLong(value), 4, -1);
  }

  private int get(int index) {
    model.write(SELECT, index, 4, -1);
    return (int) model.read(WINDOW, 4).value();
  }

  private List<Long> takeSent() {
    List<Long> out = List.copyOf(sent);
    sent.clear();
    return out;
  }

  @Test
  @DisplayName("every bit and offset by a second publication")
  void layouts() throws IOException {
    LayoutSource.ofPackage(IoapicTest.class).agree("io-apic-second-source.txt");
  }

  @Test
  @DisplayName(
      "QEMU 10 ioapic_entry_parse: address and datum of every entry, but for RH and the level bit that hardware adds")
  void messages() {
    Property.check(
        "messages of I/O APIC entries",
        2000,
        dice -> {
          long entry = dice.nextLong() & ~0x0000_ffff_fffe_0000L;
          long address = 0xfee0_0000L | (entry >>> 48) << 4 | (entry >>> 11 & 1) << 2;
          long data = entry & 0xff | (entry >>> 8 & 7) << 8 | (entry >>> 15 & 1) << 15;
          assertEquals(address, IoapicLayout.address(entry) & ~8L);
          assertEquals((entry >>> 8 & 7) == 1, (IoapicLayout.address(entry) & 8) != 0);
          assertEquals(data | 0x4000, IoapicLayout.data(entry));
        });
  }

  @Test
  @DisplayName(
      "VT-d 5.1.5.1: an entry for a remappable address has its handle and its pin's number; one for another has the datum")
  void entries() {
    Property.check(
        "entries for messages",
        2000,
        dice -> {
          int handle = dice.below(0x10000);
          int pin = dice.below(24);
          long address = 0xfee0_0010L | (handle & 0x7fffL) << 5 | (handle >>> 15) << 2;
          long entry = IoapicLayout.entry(address | 8, dice.below(0x10000), pin);
          assertEquals(handle, IoapicLayout.INDEX.get(entry));
          assertEquals(pin, IoapicLayout.VECTOR.getInt(entry));
          assertEquals(0, IoapicLayout.DELIVERY_MODE.getInt(entry));
          assertEquals(address, IoapicLayout.address(entry));
          long plain = 0xfee0_0000L | (long) dice.below(0x100) << 12;
          int datum = dice.below(0x100);
          long other = IoapicLayout.entry(plain, datum, pin);
          assertEquals(plain, IoapicLayout.address(other));
          assertEquals(datum, IoapicLayout.data(other) & 0x7ff);
          assertTrue(IoapicLayout.MASK.isSet(entry) && IoapicLayout.MASK.isSet(other));
        });
  }

  @Test
  @DisplayName(
      "registers by index: identification, version and pins, read-only bits, and none beyond the last pin")
  void indexed() {
    assertEquals(0x0017_0020, get(1));
    set(0, 0xffff_ffff);
    assertEquals(0x0f00_0000, get(0));
    assertEquals(0x0f00_0000, get(2));
    set(0x10 + 2 * 5, 0xffff_ffff);
    set(0x11 + 2 * 5, 0xffff_ffff);
    assertEquals(0x0001_afff, get(0x10 + 2 * 5));
    assertEquals(0xffff_0000, get(0x11 + 2 * 5));
    set(0x10 + 2 * 24, 0);
    assertEquals(0, get(0x10 + 2 * 24));
    assertEquals(MASKED, get(0x10 + 2 * 23));
    assertEquals(BusOutcome.ERROR, model.write(SELECT, 0, 8, -1));
    assertEquals(BusOutcome.ERROR, model.write(WINDOW + 1, 0, 1, -1));
    assertEquals(BusOutcome.ERROR, model.read(WINDOW, 2).outcome());
    assertThrows(IndexOutOfBoundsException.class, () -> model.drive(24, true));
  }

  @Test
  @DisplayName("an edge is sent once when the line comes to be active, and lost at a masked pin")
  void edge() {
    set(0x14, 0x31);
    set(0x15, 0x0300_0000);
    model.drive(2, true);
    model.drive(2, true);
    model.drive(2, false);
    assertEquals(List.of(0xfee0_3000L << 32 | 0x4031), takeSent());
    set(0x14, MASKED | 0x31);
    model.drive(2, true);
    set(0x14, 0x31);
    assertEquals(List.of(), takeSent());
    set(0x14, LOW_ACTIVE | 0x31);
    model.drive(2, false);
    assertEquals(1, takeSent().size());
  }

  @Test
  @DisplayName(
      "a level is sent until it is answered by its vector, and again while the line is active; what nobody takes is not waited for")
  void level() {
    set(0x16, LEVEL | 0x42);
    model.drive(3, true);
    assertEquals(1, takeSent().size());
    assertEquals(LEVEL | REMOTE_IRR | 0x42, get(0x16));
    model.drive(3, false);
    model.drive(3, true);
    model.write(EOI, 0x41, 4, -1);
    assertEquals(List.of(), takeSent());
    model.write(EOI, 0x42, 4, -1);
    assertEquals(1, takeSent().size());
    model.drive(3, false);
    model.write(EOI, 0x42, 4, -1);
    assertEquals(List.of(), takeSent());
    assertEquals(LEVEL | 0x42, get(0x16));
    taken = false;
    model.drive(3, true);
    assertEquals(0, get(0x16) & REMOTE_IRR);
    set(0x16, MASKED | LEVEL | 0x42);
    taken = true;
    sent.clear();
    set(0x16, LEVEL | 0x42);
    assertEquals(1, takeSent().size());
  }

  @Test
  @DisplayName(
      "whatever is written, registers answer and no message leaves the interrupt address range")
  void hostile() {
    Property.check(
        "hostile writes to an I/O APIC",
        200,
        dice -> {
          List<Long> out = new ArrayList<>();
          IoapicModel m = new IoapicModel(1 + dice.below(120), (address, data) -> out.add(address));
          for (int i = 0; i < 200; i++) {
            m.write(dice.below(0x110), dice.nextLong(), 1 << dice.below(4), -1);
            m.read(dice.below(0x110), 1 << dice.below(4));
            m.write(SELECT, dice.below(0x100), 4, -1);
            m.write(WINDOW, dice.nextLong() & 0xffff_ffffL, 4, -1);
            m.drive(0, dice.nextBoolean());
          }
          assertTrue(out.stream().allMatch(a -> a >>> 20 == 0xfee));
        });
  }

  @Test
  @DisplayName(
      "the walker names the message and how the pin is set; a table that is not there is not seen")
  void walker() {
    IoapicWalker walker = new IoapicWalker("ioapic:2", Map.of("IOREDTBL4", 0x0007_0000_0001_a004L));
    IoapicWalk walk = walker.walk(4);
    assertTrue(walk.masked());
    assertEquals(new IoapicWalk.Message(0xfee0_0070L, 0xc004), walk.message().orElseThrow());
    assertTrue(walk.hop().why().contains("interrupt_index 0x3"), walk.hop().why());
    assertTrue(walk.hop().why().contains("level, active low, masked"), walk.hop().why());
    assertTrue(walker.walk(5).message().isEmpty());
  }
}
