package dev.doorbell.firmware;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/// The readable source of `samples/two-its`: a machine with two PCI segments, each with an ITS of its own, behind one SMMUv3.
///
/// ```
/// 0000:00:01.0 root port ── 0000:01:00.0 NVMe, MSI-X 5 ──┐                 ┌─ its@0x30040000
///                                                        ├─ SMMUv3 ────────┤
/// 0001:00:01.0 root port ── 0001:01:00.0 NIC,  MSI-X 9 ──┘  0x2b400000     └─ its@0x30060000
/// ```
///
/// Segment 0's requester ids are its StreamIDs and DeviceIDs; segment 1's StreamIDs begin at 0x4000, and its DeviceIDs are its
/// requester ids again, since an ITS of its own keeps them apart.
final class TwoItsSample {
  private static final String TABLES = "sys/firmware/acpi/tables/";
  private static final long GICD = 0x3000_0000L;
  private static final long[] ITS = {0x3004_0000L, 0x3006_0000L};
  private static final long GICR = 0x300c_0000L;
  private static final long SMMU = 0x2b40_0000L;
  private static final long[] ECAM = {0x40_0000_0000L, 0x40_1000_0000L};
  private static final int[] FIRST_STREAM = {0, 0x4000};
  private static final int LAST_BUS = 0x1f;
  private static final int RIDS = (LAST_BUS + 1) * 256;
  private static final long[] WINDOW = {0x5000_0000L, 0x5800_0000L};
  private static final long WINDOW_BYTES = 0x800_0000L;
  private static final long BAR_BYTES = 0x8000;

  private final SortedMap<String, byte[]> files = new TreeMap<>();
  private final SortedMap<String, String> links = new TreeMap<>();

  private TwoItsSample() {
    files.put(TABLES + "APIC", madt());
    files.put(TABLES + "MCFG", mcfg());
    files.put(TABLES + "IORT", iort());
    text("proc/iomem", ioMemory());
    text("proc/cmdline", "console=ttyAMA0\n");
    for (int segment = 0; segment < 2; segment++) {
      String root = String.format(Locale.ROOT, "sys/devices/pci%04x:00/", segment);
      String port = sbdf(segment, 0, 1);
      String endpoint = sbdf(segment, 1, 0);
      function(root, sbdf(segment, 0, 0), hostBridge(), List.of());
      function(root, port, rootPort(WINDOW[segment]), List.of());
      function(root + port + "/", endpoint, endpoint(segment), List.of(bar(segment)));
    }
  }

  static SortedMap<String, byte[]> files() {
    return new TwoItsSample().files;
  }

  /// {@return links of the sample and where they lead}
  static SortedMap<String, String> links() {
    return new TwoItsSample().links;
  }

  private static String sbdf(int segment, int bus, int device) {
    return String.format(Locale.ROOT, "%04x:%02x:%02x.0", segment, bus, device);
  }

  private void text(String path, String text) {
    files.put(path, text.getBytes(StandardCharsets.US_ASCII));
  }

  private void function(String folder, String sbdf, byte[] config, List<String> resources) {
    files.put(folder + sbdf + "/config", config);
    List<String> lines = new ArrayList<>(resources);
    while (lines.size() < 13) {
      lines.add("0x0000000000000000 0x0000000000000000 0x0000000000000000");
    }
    text(folder + sbdf + "/resource", String.join("\n", lines) + "\n");
    links.put(
        "sys/bus/pci/devices/" + sbdf, "../../../" + (folder + sbdf).substring("sys/".length()));
  }

  private static long bar(long window) {
    return window + 0x10_0000;
  }

  private static String bar(int segment) {
    long start = bar(WINDOW[segment]);
    return String.format(
        Locale.ROOT, "0x%016x 0x%016x 0x%016x", start, start + BAR_BYTES - 1, 0x140204L);
  }

  private static byte[] madt() {
    Bytes b = new Bytes().u32(0, 0);
    for (int cpu = 0; cpu < 2; cpu++) {
      int at = b.position();
      b.u8(0x0b, 80).u16(0).u32(cpu, cpu, 1, 0, 23).u64(0, 0, 0, 0);
      b.u32(25).u64(0, cpu).u8(0, 0).u16(0);
      b.at(at + 80);
    }
    b.u8(0x0c, 24).u16(0).u32(0).u64(GICD).u32(0).u8(3, 0, 0, 0);
    b.u8(0x0e, 16).u16(0).u64(GICR).u32(2 * 0x2_0000);
    for (int its = 0; its < 2; its++) {
      b.u8(0x0f, 20).u16(0).u32(its).u64(ITS[its]).u32(0);
    }
    return Bytes.table("APIC", 4, b);
  }

  private static byte[] mcfg() {
    Bytes b = new Bytes().u64(0);
    for (int segment = 0; segment < 2; segment++) {
      b.u64(ECAM[segment]).u16(segment).u8(0, LAST_BUS).u32(0);
    }
    return Bytes.table("MCFG", 1, b);
  }

  /// Two ITS groups, the SMMUv3 whose StreamIDs lead to them, and a root complex for each segment.
  private static byte[] iort() {
    int[] group = {48, 48 + 24};
    int smmu = 48 + 2 * 24;
    Bytes b = new Bytes().u32(5, 48).u32(0);
    for (int its = 0; its < 2; its++) {
      node(b, 0, 24, 1, 0, 0).u32(1, its);
    }
    node(b, 4, 68 + 2 * 20, 4, 2, 68).u64(SMMU).u32(1, 0).u64(0).u32(0, 74, 75, 77, 76, 0, 0);
    for (int segment = 0; segment < 2; segment++) {
      mapping(b, FIRST_STREAM[segment], 0, group[segment]);
    }
    for (int segment = 0; segment < 2; segment++) {
      node(b, 2, 36 + 20, 3, 1, 36).u32(1).u8(0).u16(0).u8(3).u32(0, segment).u8(48).u16(0).u8(0);
      mapping(b, 0, FIRST_STREAM[segment], smmu);
    }
    return Bytes.table("IORT", 3, b);
  }

  private static Bytes node(
      Bytes b, int type, int length, int revision, int mappings, int mappingsAt) {
    return b.u8(type).u16(length).u8(revision).u32(0, mappings, mappingsAt);
  }

  private static void mapping(Bytes b, int in, int out, int target) {
    b.u32(in, RIDS - 1, out, target, 0);
  }

  private static String ioMemory() {
    Map<Long, String> lines = new TreeMap<>();
    line(lines, SMMU, 0x2_0000, "arm-smmu-v3.0.auto");
    line(lines, GICD, 0x1_0000, "GICD");
    line(lines, GICR, 0x4_0000, "GICR");
    for (int segment = 0; segment < 2; segment++) {
      line(
          lines,
          WINDOW[segment],
          WINDOW_BYTES,
          String.format(Locale.ROOT, "PCI Bus %04x:00", segment));
      line(lines, ECAM[segment], (LAST_BUS + 1) * Mcfg.BUS_BYTES, "PCI ECAM");
    }
    line(lines, 0x8000_0000L, 0x8000_0000L, "System RAM");
    line(lines, 0x8_8000_0000L, 0x8000_0000L, "System RAM");
    return String.join("", lines.values());
  }

  private static void line(Map<Long, String> lines, long start, long bytes, String name) {
    lines.put(
        start, String.format(Locale.ROOT, "%08x-%08x : %s\n", start, start + bytes - 1, name));
  }

  /// The function at 00.0 of a root bus: a type 0 header without capabilities.
  private static byte[] hostBridge() {
    return new Bytes().u16(0x1b36, 0x0008, 0x0006, 0).u8(0, 0, 0, 6).toArray(256);
  }

  /// A root port to bus 1 with PCIe and MSI capabilities, and ACS as Linux enables it.
  ///
  /// **Source**: PCIe 6.0, 7.5.1.3 (type 1 header), 7.5.3 (PCIe capability), 7.7.1 (MSI), 7.7.8 (ACS).
  private static byte[] rootPort(long window) {
    long megabytes = window >>> 20;
    Bytes b = new Bytes().u16(0x1b36, 0x000c, 0x0507, 0x0010).u8(0, 0, 4, 6, 0, 0, 1, 0);
    b.at(0x18).u8(0, 1, 1, 0).u16(0x00f0, 0);
    b.u16(megabytes << 4, (megabytes + 1) << 4);
    b.u16(0xfff1, 0x0001);
    b.at(0x34).u8(0x40);
    b.at(0x40).u8(0x10, 0x80).u16(0x0142);
    b.at(0x80).u8(0x05, 0).u16(0x0180);
    b.at(0x100).u32(0x0001_000dL).u16(0x005f, 0x001d);
    return b.toArray(4096);
  }

  /// An endpoint with MSI-X in its BAR 0 and, as a second choice, MSI.
  ///
  /// **Source**: PCIe 6.0, 7.5.1.2 (type 0 header), 7.7.2 (MSI-X).
  private static byte[] endpoint(int segment) {
    boolean nvme = segment == 0;
    int vectors = nvme ? 5 : 9;
    Bytes b = new Bytes().u16(nvme ? 0x1b36 : 0x8086, nvme ? 0x0010 : 0x10c9, 0x0506, 0x0010);
    b.u8(2).u8(nvme ? new long[] {2, 8, 1} : new long[] {0, 0, 2}).u8(0, 0, 0, 0);
    b.u32(bar(WINDOW[segment]) | 4, 0);
    b.at(0x34).u8(0x40);
    b.at(0x40).u8(0x11, 0x50).u16(vectors - 1).u32(0x2000, 0x3000);
    b.at(0x50).u8(0x05, 0x70).u16(0x0184);
    b.at(0x70).u8(0x10, 0).u16(0x0002);
    return b.toArray(4096);
  }
}
