package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RawTables.MEMORY;
import static dev.doorbell.hw.riscviommu.RawTables.ROOT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.bus.PageRequest;
import dev.doorbell.bus.PageResponse;
import dev.doorbell.bus.Translator;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("RISC-V IOMMU 1.0: page requests, by tables of raw numbers")
class PageRequestTest {
  private static final long PQ = MEMORY + 0x6_0000;
  private static final long NOTICE = MEMORY + 0x7_0000;
  private static final int DEVICE = 0x2a;
  private static final int WITHOUT = 0x2b;
  private static final int QUIET = 0x2c;
  private static final int NAMED = 0x2d;
  private static final int READ = Translator.READ;
  private static final int WRITE = Translator.WRITE;

  /// EN_ATS and EN_PRI of DEVICE and NAMED, which has PRPR, too; a queue of four.
  private static RawTables tables() {
    RawTables t = new RawTables(RiscvIommuFeatures.usual(48).withAts());
    t.mode(2);
    t.context(ROOT + DEVICE * 64L, 0x7);
    t.context(ROOT + WITHOUT * 64L, 0x3);
    t.context(ROOT + QUIET * 64L, 0x13);
    t.context(ROOT + NAMED * 64L, 0x47);
    t.set(0x38, PQ >>> 2 | 1, 8);
    return t;
  }

  private static PageRequest last(int device) {
    return new PageRequest(device, -1, 0x1234_5000L, 7, true, READ | WRITE);
  }

  private static PageRequest ofProcess(int device) {
    return new PageRequest(device, 0x4_5678, 0x1000, 9, true, READ);
  }

  private static Optional<PageResponse> answer(int device, int pasid, int group, int code) {
    return Optional.of(new PageResponse(device, pasid, group, code));
  }

  @Test
  @DisplayName("4.3: a record of two doublewords, pqt, pip and the message of piv")
  void queued() {
    RawTables t = tables();
    t.set(0x50, 3, 4);
    t.set(0x2f8, 0x5000, 8);
    t.set(0x350, NOTICE, 8);
    t.set(0x358, 0x99, 4);
    assertEquals(Optional.empty(), t.model.pageRequest(last(DEVICE)));
    assertEquals(0x2a00_0000_0000L, t.memory.read64(PQ));
    assertEquals(0x1234_503fL, t.memory.read64(PQ + 8));
    assertEquals(1, t.get(0x44, 4), "pqt");
    assertEquals(8, t.get(0x54, 4), "ipsr.pip");
    assertEquals(0x99, t.memory.read32(NOTICE));
    PageRequest first = new PageRequest(DEVICE, 0xf_ffff, 0xffff_ffff_ffff_f000L, 511, false, READ);
    assertEquals(Optional.empty(), t.model.pageRequest(first));
    assertEquals(0x2a01_ffff_f000L, t.memory.read64(PQ + 16), "PV and PID");
    assertEquals(0xffff_ffff_ffff_fff9L, t.memory.read64(PQ + 24));
  }

  @Test
  @DisplayName("4.3: a full queue sets pqof and answers Success, until software clears it")
  void overflow() {
    RawTables t = tables();
    t.set(0x50, 1, 4);
    for (int i = 0; i < 3; i++) {
      assertEquals(Optional.empty(), t.model.pageRequest(last(DEVICE)));
    }
    assertEquals(answer(DEVICE, -1, 7, 0), t.model.pageRequest(last(DEVICE)));
    assertEquals(0x1_0201, t.get(0x50, 4), "pqof");
    assertEquals(0, t.get(0x54, 4), "pie is 0");
    t.set(0x40, 3, 4);
    assertEquals(answer(DEVICE, -1, 9, 0), t.model.pageRequest(ofProcess(DEVICE)), "no PRPR");
    assertEquals(answer(NAMED, 0x4_5678, 9, 0), t.model.pageRequest(ofProcess(NAMED)));
    assertEquals(3, t.get(0x44, 4));
    t.set(0x50, 0x201, 4);
    assertEquals(Optional.empty(), t.model.pageRequest(last(DEVICE)));
    assertEquals(0, t.get(0x44, 4), "pqt wraps");
    assertEquals(0, t.cause(), "no fault is recorded");
  }

  @Test
  @DisplayName(
      "6.15: pip comes back at once while pqof stays and pie is set, with a message each time, and not after pqof was cleared")
  void insists() {
    RawTables t = tables();
    t.set(0x2f8, 0x5000, 8);
    t.set(0x350, NOTICE, 8);
    t.set(0x358, 0x99, 4);
    t.set(0x50, 1, 4);
    for (int i = 0; i < 4; i++) {
      var unused = t.model.pageRequest(last(DEVICE));
    }
    assertEquals(0, t.get(0x54, 4));
    t.set(0x50, 3, 4);
    assertEquals(8, t.get(0x54, 4), "pie is set while pqof is 1");
    assertEquals(0x99, t.memory.read32(NOTICE));
    t.memory.write32(NOTICE, 0);
    var unused = t.model.pageRequest(last(DEVICE));
    assertEquals(0, t.memory.read32(NOTICE), "pending already");
    t.set(0x54, 8, 4);
    assertEquals(8, t.get(0x54, 4));
    assertEquals(0x99, t.memory.read32(NOTICE));
    t.set(0x50, 0x203, 4);
    t.set(0x54, 8, 4);
    assertEquals(0, t.get(0x54, 4), "pqof was cleared");
  }

  @Test
  @DisplayName("2.7: Response Failure, with the PASID, while the queue is off or its memory faults")
  void broken() {
    RawTables t = tables();
    assertEquals(answer(DEVICE, 0x4_5678, 9, 15), t.model.pageRequest(ofProcess(DEVICE)));
    t.set(0x300, NOTICE, 8);
    t.set(0x38, 0x1000 >>> 2, 8);
    t.set(0x50, 3, 4);
    assertEquals(answer(DEVICE, -1, 7, 15), t.model.pageRequest(last(DEVICE)));
    assertEquals(0x1_0103, t.get(0x50, 4), "pqmf");
    assertEquals(8, t.get(0x54, 4), "pip");
    assertEquals(answer(DEVICE, 0x4_5678, 9, 15), t.model.pageRequest(ofProcess(DEVICE)));
    t.set(0x50, 0, 4);
    t.set(0x38, PQ >>> 2, 8);
    t.set(0x50, 1, 4);
    assertEquals(0x1_0001, t.get(0x50, 4), "pqen clears pqmf");
    assertEquals(Optional.empty(), t.model.pageRequest(last(DEVICE)));
    assertEquals(0, t.cause(), "no fault is recorded");
  }

  @Test
  @DisplayName(
      "2.7: who may ask for no page gets Invalid Request, and cause 260 of TTYP 9 is recorded unless DTF")
  void notAllowed() {
    RawTables t = tables();
    t.set(0x50, 1, 4);
    assertEquals(answer(WITHOUT, -1, 9, 1), t.model.pageRequest(ofProcess(WITHOUT)));
    assertEquals(260, t.cause());
    assertEquals(0x2b25_4567_8104L, t.record(0), "DID, TTYP, PV, PID");
    assertEquals(4, t.record(2), "message code");
    assertEquals(answer(QUIET, -1, 7, 1), t.model.pageRequest(last(QUIET)));
    assertEquals(0, t.cause(), "DTF");
    assertEquals(0, t.get(0x44, 4));
  }

  @Test
  @DisplayName("2.7: Off 256, Bare 260, a wide device_id 260, no context 258")
  void noContext() {
    RawTables t = tables();
    t.set(0x50, 1, 4);
    assertEquals(answer(0x40, -1, 7, 1), t.model.pageRequest(last(0x40)));
    assertEquals(260, t.cause());
    assertEquals(answer(1, 0x4_5678, 9, 15), t.model.pageRequest(ofProcess(1)));
    assertEquals(258, t.cause());
    t.mode(1);
    assertEquals(answer(DEVICE, -1, 7, 1), t.model.pageRequest(last(DEVICE)));
    assertEquals(260, t.cause());
    t.mode(0);
    assertEquals(answer(DEVICE, -1, 7, 15), t.model.pageRequest(last(DEVICE)));
    assertEquals(256, t.cause());
  }

  @Test
  @DisplayName("2.7: what is not the last of its group, and a Stop Marker, are never answered")
  void unanswered() {
    RawTables t = tables();
    PageRequest middle = new PageRequest(DEVICE, -1, 0, 1, false, READ);
    PageRequest marker = new PageRequest(DEVICE, 5, 0, 1, true, 0);
    assertEquals(Optional.empty(), t.model.pageRequest(middle));
    assertEquals(Optional.empty(), t.model.pageRequest(marker));
    t.mode(0);
    assertEquals(Optional.empty(), t.model.pageRequest(middle));
    assertEquals(Optional.empty(), t.model.pageRequest(marker));
    t.mode(2);
    t.set(0x50, 1, 4);
    assertEquals(Optional.empty(), t.model.pageRequest(marker));
    assertEquals(1, t.get(0x44, 4), "a Stop Marker is queued");
    assertEquals(0xcL, t.memory.read64(PQ + 8));
  }

  @Test
  @DisplayName(
      "2.1.4: EN_PRI without EN_ATS, PRPR without EN_PRI, and any of them without capabilities.ATS are misconfigured")
  void contexts() {
    for (long tc : new long[] {0x5, 0x43, 0x45, 0xf}) {
      RawTables t = tables();
      t.context(ROOT + DEVICE * 64L, tc);
      assertEquals(Translator.FAULT, t.write(DEVICE, 0), Long.toHexString(tc));
      assertEquals(259, t.cause(), Long.toHexString(tc));
    }
    for (long tc : new long[] {0x3, 0x7, 0x47}) {
      RawTables with = tables();
      with.context(ROOT + DEVICE * 64L, tc);
      assertEquals(0x5000, with.write(DEVICE, 0x5000), Long.toHexString(tc));
      RawTables without = new RawTables();
      without.mode(2);
      without.context(ROOT + DEVICE * 64L, tc);
      assertEquals(Translator.FAULT, without.write(DEVICE, 0x5000), Long.toHexString(tc));
      assertEquals(259, without.cause(), Long.toHexString(tc));
    }
  }

  @Test
  @DisplayName(
      "4.1.4: ATS.PRGR and ATS.INVAL reach the device; without capabilities.ATS they are illegal")
  void commands() {
    RawTables t = tables();
    t.command(4L | 1 << 7 | 0x4_5678L << 12 | 1L << 32 | 0x2aL << 40, 7L << 32 | 1L << 44);
    t.command(4L | 1 << 7 | 0x4_5678L << 12 | 1L << 33 | 0x2aL << 40 | 3L << 56, 511L << 32);
    t.command(4L | 0x2aL << 40, 0x1234_5000L);
    t.command(4L | 9L << 12 | 1L << 32 | 0x2aL << 40, 0x1234_7000L | 1 << 11);
    t.command(4L | 0x2aL << 40, 0x7fff_ffff_ffff_f000L | 1 << 11);
    assertEquals(
        List.of(
            "respond 0x2a 284280 7 1",
            "respond 0x3002a -1 511 0",
            "invalidate 0x2a -1 0x12345000 0x1000",
            "invalidate 0x2a 9 0x12340000 0x10000",
            "invalidate 0x2a -1 0x0 0x0"),
        t.sent);
    assertEquals(5, t.get(0x20, 4), "all are done");
    t.command(4L | 1 << 10, 0);
    assertEquals(1 << 10, t.get(0x48, 4) & 0x700, "cmd_ill: a reserved bit");
    RawTables without = new RawTables();
    without.command(4L, 0);
    assertEquals(1 << 10, without.get(0x48, 4) & 0x700, "cmd_ill");
  }

  @Test
  @DisplayName("what no message can say is no request")
  void messages() {
    assertThrows(IllegalArgumentException.class, () -> new PageRequest(0, -2, 0, 0, true, READ));
    assertThrows(
        IllegalArgumentException.class, () -> new PageRequest(0, 0x10_0000, 0, 0, true, READ));
    assertThrows(IllegalArgumentException.class, () -> new PageRequest(0, -1, 8, 0, true, READ));
    assertThrows(IllegalArgumentException.class, () -> new PageRequest(0, -1, 0, 512, true, READ));
    assertThrows(IllegalArgumentException.class, () -> new PageRequest(0, -1, 0, 0, true, 4));
  }
}
