package dev.doorbell.hw.aplic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.LayoutSource;
import dev.doorbell.hw.imsic.ImsicDriver;
import dev.doorbell.hw.imsic.ImsicHardware;
import dev.doorbell.hw.imsic.ImsicModel;
import dev.doorbell.irq.Signal;
import dev.doorbell.irq.VectorsExhausted;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("AIA 1.0 4: an APLIC in MSI delivery mode, its driver and its walker")
class AplicTest {
  private static final int SOURCES = 40;
  private static final int IE = 0x104;

  private final List<String> sent = new ArrayList<>();
  private final AplicModel model =
      new AplicModel(
          SOURCES, (hart, guest, identity) -> sent.add(hart + "." + guest + " " + identity));

  private void set(long offset, long value) {
    assertEquals(BusOutcome.OK, model.write(offset, value, 4, -1));
  }

  private long get(long offset) {
    return model.read(offset, 4).value();
  }

  private List<String> takeSent() {
    List<String> out = List.copyOf(sent);
    sent.clear();
    return out;
  }

  /// Source 33 of a mode, enabled, to identity 5 of hart 2's guest file 1.
  private void aimed(int mode) {
    set(0, IE);
    set(4 * 33, mode);
    set(0x3000 + 4 * 33, 2L << 18 | 1 << 12 | 5);
    set(0x1edc, 33);
  }

  @Test
  @DisplayName("every field and offset by other publications")
  void layouts() throws IOException {
    LayoutSource declared = LayoutSource.ofPackage(AplicTest.class);
    List<String> tables = List.of("aplic-linux.txt", "aplic-qemu.txt");
    for (String table : tables) {
      declared.agree(table);
    }
    declared.complete(
        tables,
        Map.of(
            "source bits.sources", "a mask of sources, which no publication names",
            "source number.number", "a whole word, which no publication names",
            "domaincfg.read-only 80h", "headers have the value 80000000h",
            "genmsi.Busy", "no driver waits by it"));
  }

  @Test
  @DisplayName(
      "4.5: domaincfg, sources that do not exist, reserved words, and other sizes of access")
  void registers() {
    assertEquals(0x8000_0004L, get(0));
    set(0, 0xffff_ffffL);
    assertEquals(0x8000_0104L, get(0), "IE alone is writable");
    set(4 * 41, 4);
    assertEquals(0, get(4 * 41), "source 41 does not exist");
    set(4, 1 << 10);
    assertEquals(0, get(4), "a leaf delegates nothing");
    set(4, 2);
    assertEquals(0, get(4), "a reserved mode");
    set(0x1bc0, 0xffff_ffffL);
    assertEquals(0, get(0x1bc0), "mmsiaddrcfg is machine level's");
    assertEquals(0, get(0x2ff0));
    set(0x3000, 3L << 18 | 7);
    assertEquals(List.of("3.0 7"), takeSent(), "genmsi");
    assertEquals(3L << 18 | 7, get(0x3000), "Busy is 0 again");
    assertEquals(BusOutcome.ERROR, model.read(0, 8).outcome());
    assertEquals(BusOutcome.ERROR, model.read(2, 4).outcome());
    assertEquals(BusOutcome.ERROR, model.write(0, 0, 1, -1));
    assertThrows(IndexOutOfBoundsException.class, () -> model.drive(41, true));
    assertThrows(IndexOutOfBoundsException.class, () -> model.drive(0, true));
  }

  @Test
  @DisplayName("4.7: edges, either way; each makes one message, and nothing of a level")
  void edges() {
    for (boolean rising : new boolean[] {true, false}) {
      aimed(rising ? 4 : 5);
      model.drive(33, !rising);
      takeSent();
      model.drive(33, rising);
      assertEquals(List.of("2.1 5"), takeSent());
      model.drive(33, rising);
      model.drive(33, !rising);
      assertEquals(List.of(), takeSent());
      assertEquals(0, get(0x1c04), "not pending: forwarded");
    }
  }

  @Test
  @DisplayName("4.7, 4.9.2: a level makes one message until setipnum tells that it was served")
  void levels() {
    for (boolean high : new boolean[] {true, false}) {
      model.drive(33, !high);
      aimed(high ? 6 : 7);
      takeSent();
      model.drive(33, high);
      assertEquals(List.of("2.1 5"), takeSent());
      assertEquals(2, get(0x1d04), "in_clrip reads the rectified input");
      set(0x2000, 33);
      assertEquals(List.of("2.1 5"), takeSent(), "active still");
      model.drive(33, !high);
      set(0x1cdc, 33);
      assertEquals(List.of(), takeSent(), "not active: cannot be made pending");
      assertEquals(0, get(0x1c04));
      assertEquals(0, get(0x1d04));
    }
  }

  @Test
  @DisplayName(
      "4.5, 4.7: what is masked, or comes before IE, waits; a level that ends meanwhile is forgotten")
  void masks() {
    aimed(6);
    set(0x1fdc, 33);
    model.drive(33, true);
    assertEquals(2, get(0x1c04));
    model.drive(33, false);
    set(0x1e04, 2);
    assertEquals(List.of(), takeSent());
    set(0, 4);
    set(4 * 33, 4);
    set(0x3000 + 4 * 33, 9);
    model.drive(33, true);
    assertEquals(List.of(), takeSent());
    set(0, IE);
    assertEquals(List.of("0.0 9"), takeSent());
    set(0x1f04, 2);
    assertEquals(0, get(0x1e04));
    set(0x1c04, 2);
    assertEquals(2, get(0x1c04));
    set(0x1d04, 2);
    assertEquals(0, get(0x1c04), "in_clrip clears");
  }

  @Test
  @DisplayName(
      "4.5.2: an inactive source has no target, no enable and no pending bit; a detached one hears no wire")
  void inactive() {
    aimed(4);
    set(0x1fdc, 33);
    model.drive(33, true);
    set(4 * 33, 0);
    assertEquals(0, get(0x1c04));
    assertEquals(0, get(0x3000 + 4 * 33));
    set(0x1cdc, 33);
    set(0x1edc, 33);
    set(0x3000 + 4 * 33, 5);
    assertEquals(0, get(0x1c04) | get(0x1e04) | get(0x3000 + 4 * 33));
    aimed(1);
    model.drive(33, false);
    model.drive(33, true);
    assertEquals(List.of(), takeSent());
    set(0x1cdc, 33);
    assertEquals(List.of("2.1 5"), takeSent());
  }

  private static final List<Long> FILES = List.of(0x2800_0000L, 0x2800_1000L);
  private final ImsicModel files = new ImsicModel(2, 63);
  private final AplicModel wired =
      new AplicModel(
          SOURCES, (hart, _, identity) -> files.page(hart / 4).write(0, identity, 4, -1));
  private final ImsicDriver imsic =
      ImsicDriver.open(
          new ImsicHardware("imsic@0x28000000", FILES, 63, Source.rule("test"), files));

  private AplicDriver driver() {
    return AplicDriver.open("aplic@0xd000000", bus(wired), SOURCES, imsic, cpu -> cpu * 4);
  }

  private static RegisterBus bus(MmioDevice device) {
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        return device.read(offset, bytes).value();
      }

      @Override
      public void write(long offset, long value, int bytes) {
        assertEquals(BusOutcome.OK, device.write(offset, value, bytes, -1));
      }
    };
  }

  private Map<Integer, Integer> collect() {
    Map<Integer, Integer> out = new HashMap<>();
    imsic.collect((number, _) -> out.merge(number, 1, Integer::sum));
    return out;
  }

  @Test
  @DisplayName(
      "the driver: a source arrives under its number, moves to another hart, is masked, served and given back")
  void drives() {
    AplicDriver d = driver();
    int free = imsic.vectorsFree();
    AplicDriver.Source s = d.connect(10, Signal.HIGH, 0);
    wired.drive(10, true);
    assertEquals(Map.of(s.vector(), 1), collect());
    s.served();
    assertEquals(Map.of(s.vector(), 1), collect(), "active still");
    s.retarget(1);
    assertEquals(1, s.cpu());
    wired.drive(10, false);
    wired.drive(10, true);
    assertEquals(Map.of(s.vector(), 1), collect());
    assertEquals(4L << 18, wired.read(0x3000 + 4 * 10, 4).value() & ~0x7ffL, "hart index 4");
    s.mask(true);
    wired.drive(10, false);
    wired.drive(10, true);
    assertEquals(Map.of(), collect());
    s.mask(false);
    assertEquals(Map.of(s.vector(), 1), collect());
    s.disconnect();
    wired.drive(10, false);
    wired.drive(10, true);
    assertEquals(Map.of(), collect());
    assertEquals(free, imsic.vectorsFree());
    assertThrows(IllegalStateException.class, s::served);
  }

  @Test
  @DisplayName("the driver: a message under way when a source moves is not lost")
  void movesPending() {
    AplicDriver d = driver();
    AplicDriver.Source s = d.connect(3, Signal.RISING, 0);
    wired.drive(3, true);
    s.retarget(1);
    assertEquals(Map.of(s.vector(), 1), collect());
  }

  @Test
  @DisplayName("the driver: a masked source that moves stays masked, and arrives where it went")
  void movesMasked() {
    AplicDriver d = driver();
    AplicDriver.Source s = d.connect(3, Signal.RISING, 0);
    s.mask(true);
    s.retarget(1);
    wired.drive(3, true);
    assertEquals(Map.of(), collect());
    s.mask(false);
    assertEquals(Map.of(s.vector(), 1), collect());
  }

  @Test
  @DisplayName("the driver: refusals change nothing")
  void refusals() {
    AplicDriver d = driver();
    assertThrows(IndexOutOfBoundsException.class, () -> d.connect(41, Signal.RISING, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> d.connect(0, Signal.RISING, 0));
    d.connect(1, Signal.FALLING, 0);
    assertThrows(IllegalStateException.class, () -> d.connect(1, Signal.FALLING, 1));
    List<AplicDriver.Source> all = new ArrayList<>();
    for (int source = 2; source <= SOURCES; source++) {
      all.add(d.connect(source, Signal.RISING, source % 2));
    }
    imsic.allocate(new dev.doorbell.irq.MsiSource("rest", 1), imsic.vectorsFree(), false);
    all.getFirst().disconnect();
    imsic.allocate(new dev.doorbell.irq.MsiSource("last", 2), 1, false);
    assertThrows(VectorsExhausted.class, () -> d.connect(2, Signal.RISING, 0));
    assertEquals(0, wired.read(4 * 2, 4).value(), "source 2 stays inactive");
  }

  @Test
  @DisplayName(
      "the driver: a domain without MSI delivery, or with another byte order, is refused; a delegated source, too")
  void unfit() {
    for (long domain : new long[] {0x8000_0000L, 0x8000_0005L, 0}) {
      RegisterBus other = fixed(domain);
      assertThrows(
          DirectDelivery.class,
          () -> AplicDriver.open("aplic@0", other, 4, imsic, cpu -> cpu),
          Long.toHexString(domain));
    }
    AplicDriver d = AplicDriver.open("aplic@0", fixed(0x8000_0104L), 4, imsic, cpu -> cpu);
    int free = imsic.vectorsFree();
    assertThrows(SourceRefused.class, () -> d.connect(1, Signal.RISING, 0));
    assertEquals(free, imsic.vectorsFree());
  }

  private static RegisterBus fixed(long domain) {
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        return offset == 0 ? domain : 0;
      }

      @Override
      public void write(long offset, long value, int bytes) {}
    };
  }

  @Test
  @DisplayName("the walker tells the message that the model sends, or why there is none")
  void walks() {
    aimed(4);
    Map<String, Long> registers = new HashMap<>();
    registers.put("domaincfg", get(0));
    registers.put("sourcecfg33", get(4 * 33));
    registers.put("setie1", get(0x1e04));
    registers.put("target33", get(0x3000 + 4 * 33));
    AplicWalk found = new AplicWalker("aplic", registers).walk(33);
    assertEquals(Optional.of(new AplicWalk.Message(2, 1, 5)), found.message());
    assertEquals("identity 5 to hart index 2, guest file 1", found.hop().out());
    assertTrue(found.hop().why().contains("Edge1"), found.hop().why());
    Map<String, Long> breaks =
        Map.of(
            "domaincfg", 0x8000_0004L,
            "sourcecfg33", 1L << 10,
            "setie1", 1L);
    breaks.forEach((name, value) -> {
      Map<String, Long> broken = new HashMap<>(registers);
      broken.put(name, value);
      AplicWalk walk = new AplicWalker("aplic", broken).walk(33);
      assertEquals(Optional.empty(), walk.message(), name);
      assertEquals(Basis.OBSERVED, walk.hop().basis(), name);
    });
    for (String name : registers.keySet()) {
      Map<String, Long> fewer = new HashMap<>(registers);
      fewer.remove(name);
      AplicWalk walk = new AplicWalker("aplic", fewer).walk(33);
      assertEquals(Basis.UNSEEN, walk.hop().basis(), name);
      assertFalse(walk.message().isPresent());
    }
  }
}
