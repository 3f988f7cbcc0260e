package dev.doorbell.hw.amdvi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.AtsMessages;
import dev.doorbell.bus.PageRequest;
import dev.doorbell.bus.PageResponse;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Records and registers of the model are written as numbers.
@DisplayName("48882 2.6: devices ask for pages, the log has it, COMPLETE_PPR_REQUEST answers")
class AmdViPageRequestsTest {
  private static final int DEVICE = 0x108;
  private static final int READ_WRITE = Translator.READ | Translator.WRITE;
  private static final AmdViSettings.Use ASKS = AmdViSettings.Use.PAGE_REQUESTS;

  private final AmdViBench bench = new AmdViBench();
  private final List<PageResponse> answers = new ArrayList<>();
  private final List<Boolean> line = new ArrayList<>();
  private final AmdViModel model =
      new AmdViModel(
          AmdViFeatures.all(),
          bench.plain,
          (_, _, _) -> true,
          line::add,
          new AtsMessages() {
            @Override
            public void invalidate(int requester, int pasid, long first, long bytes) {
              throw new AssertionError("no device has translations");
            }

            @Override
            public void respond(PageResponse response) {
              answers.add(response);
            }
          });

  private AmdViDriver open(boolean guest) {
    return bench.open(
        model,
        AmdViSettings.of(bench.domains)
            .with(ASKS, true)
            .with(AmdViSettings.Use.GUEST_TABLES, guest));
  }

  private static PageRequest ask(int device, int pasid, long page, int group, boolean last) {
    return new PageRequest(device, pasid, page, group, last, READ_WRITE);
  }

  private long get(long offset) {
    return model.read(offset, 8).value();
  }

  private void set(long offset, long value) {
    model.write(offset, value, 8, SystemBus.CPU);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisplayName("what a device asks for is read as it was sent, mapped, answered, and reached then")
  void served(boolean guest) {
    AmdViDriver iommu = open(guest);
    AddressSpace space = iommu.createAddressSpace(Granule.K4);
    iommu.attach(DEVICE, space);
    int pasid = guest ? 0xa_bcde : -1;
    PageRequest first = ask(DEVICE, pasid, 0x7fff_f000L, 0x1a5, false);
    PageRequest second = new PageRequest(DEVICE, -1, 0x8000_0000L, 0x1a5, true, Translator.WRITE);
    model.pageRequest(first);
    model.pageRequest(second);
    AmdViPageRequests seen = iommu.drainPageRequests();
    assertEquals(List.of(first, second), seen.requests());
    assertFalse(seen.lost());
    assertEquals(List.of(), iommu.drainPageRequests().requests());
    assertEquals(List.of(), answers, "nobody but software answers");
    space.map(new Iova(0x8000_0000L), new Pa(0x5000), 0x1000, Protection.READ_WRITE);
    PageResponse ok = new PageResponse(DEVICE, -1, 0x1a5, PageResponse.SUCCESS);
    PageResponse no = new PageResponse(DEVICE, 0xa_bcde, 0x1ff, PageResponse.FAILURE);
    iommu.respond(ok);
    iommu.respond(no);
    assertEquals(List.of(ok, no), answers);
    assertEquals(0x5000, AmdViBench.write(model, DEVICE, 0x8000_0000L));
    assertEquals(List.of(), iommu.drainEvents().events());
  }

  @Test
  @DisplayName("a record's words, the bits of Status and the interrupt are the manual's")
  void record() {
    AmdViDriver iommu = open(true);
    iommu.attach(DEVICE, iommu.createAddressSpace(Granule.K4));
    long log = get(0x38) & 0xf_ffff_ffff_f000L;
    assertEquals(9, get(0x38) >>> 56);
    model.pageRequest(ask(DEVICE, 0xa_bcde, 0x1234_5000L, 0x1a5, true));
    assertEquals(
        1L << 60
            | 1L << 56
            | 1L << 54
            | 1L << 53
            | 1L << 50
            | 0xaL << 42
            | 1L << 41
            | 0x1a5L << 32
            | 0xbcdeL << 16
            | DEVICE,
        bench.plain.read64(log));
    assertEquals(0x1234_5000L, bench.plain.read64(log + 8));
    assertEquals(0x10, get(0x2038));
    assertEquals(1 << 7 | 1 << 6, get(0x2020) & 7 << 5, "PprLogRun, PprInt");
    assertEquals(List.of(), line, "PprIntEn=0");
    set(0x2020, 1 << 6);
    set(0x18, get(0x18) | 1 << 14);
    model.pageRequest(ask(DEVICE, 1, 0x1000, 0, true));
    assertEquals(List.of(true, false), line);
  }

  @Test
  @DisplayName("a full log stops with PprOverflow and says so once; it runs again when it was read")
  void overflow() {
    AmdViDriver iommu = open(false);
    iommu.attach(DEVICE, iommu.createAddressSpace(Granule.K4));
    for (int i = 0; i < 600; i++) {
      model.pageRequest(ask(DEVICE, -1, i * 0x1000L, i % 512, true));
    }
    assertEquals(1 << 5, get(0x2020) & 5 << 5, "PprOverflow, and PprLogRun=0");
    AmdViPageRequests seen = iommu.drainPageRequests();
    assertEquals(511, seen.requests().size());
    assertTrue(seen.lost());
    assertEquals(List.of(), answers);
    model.pageRequest(ask(DEVICE, -1, 0x1000, 3, true));
    seen = iommu.drainPageRequests();
    assertEquals(1, seen.requests().size());
    assertFalse(seen.lost());
  }

  @Test
  @DisplayName(
      "INVALID_PPR_REQUEST: a device that may not ask, one beyond the table, a PASID without guest tables")
  void invalid() {
    AmdViDriver iommu = open(false);
    model.pageRequest(ask(DEVICE, -1, 0x2000, 5, true));
    iommu.attach(DEVICE, iommu.createAddressSpace(Granule.K4));
    model.pageRequest(ask(DEVICE, 7, 0x3000, 6, true));
    set(0x18, get(0x18) & ~1L);
    set(0x00, get(0x00) & ~0x1ffL);
    set(0x18, get(0x18) | 1);
    model.pageRequest(ask(0x100, -1, 0x4000, 7, false));
    assertEquals(
        List.of(
            "INVALID_PPR_REQUEST 0x2000",
            "INVALID_PPR_REQUEST 0x3000",
            "INVALID_PPR_REQUEST 0x4000"),
        iommu.drainEvents().events().stream()
            .map(e -> "%s 0x%x".formatted(e.name(), e.address()))
            .toList());
    assertEquals(List.of(), iommu.drainPageRequests().requests());
  }

  @Test
  @DisplayName("without PPREn, and without the feature, requests reach nobody")
  void off() {
    AmdViDriver iommu = bench.open(model);
    iommu.attach(DEVICE, iommu.createAddressSpace(Granule.K4));
    model.pageRequest(ask(DEVICE, -1, 0x2000, 5, true));
    assertEquals(List.of(), iommu.drainPageRequests().requests());
    assertEquals(List.of(), iommu.drainEvents().events());
    AmdViModel lacks = bench.model(AmdViFeatures.all().with(AmdViRegisters.PPR_SUP, 0));
    assertThrows(
        AmdViUnsupportedException.class,
        () -> bench.open(lacks, AmdViSettings.of(bench.domains).with(ASKS, true)));
    AmdViDriver without = bench.open(lacks);
    assertThrows(
        AmdViCommandException.class,
        () -> without.respond(new PageResponse(DEVICE, -1, 1, PageResponse.SUCCESS)));
  }
}
