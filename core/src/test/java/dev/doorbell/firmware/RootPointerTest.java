package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.description.MachineDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName(
    "ACPI 5.2.5 to 5.2.8: RSDP, XSDT and RSDT are judged, and keep no table from being read")
class RootPointerTest {
  @TempDir Path folder;
  private Path tables;

  @BeforeEach
  void madt() throws IOException {
    tables = Files.createDirectories(folder.resolve("sys/firmware/acpi/tables"));
    Bytes madt = new Bytes().u32(0, 0).u8(0x0f, 20).u16(0).u32(0).u64(0x8080000).u32(0);
    Files.write(tables.resolve("APIC"), Bytes.table("APIC", 4, madt));
  }

  private static byte[] rsdp(int revision) {
    Bytes b = new Bytes().text("RSD PTR ").u8(0).text("DRBELL").u8(revision).u32(0x8765_1000L);
    if (revision >= 2) {
      b.u32(36).u64(0x2000).u8(0, 0, 0, 0);
    }
    byte[] out = b.toArray();
    out[8] = (byte) -sum(out, 20);
    if (revision >= 2) {
      out[32] = (byte) -sum(out, 36);
    }
    return out;
  }

  private static int sum(byte[] bytes, int count) {
    int sum = 0;
    for (int i = 0; i < count; i++) {
      sum += bytes[i];
    }
    return sum;
  }

  /// {@return what is odd; the ITS of the MADT is read in any case}
  private List<String> odd() {
    MachineDescription m = Firmware.read(Sysroot.open(folder));
    assertEquals(1, m.msiControllers().size());
    return m.oddities().stream().map(o -> o.message()).toList();
  }

  private static String at(String table) {
    return AcpiTables.FOLDER + "/" + table;
  }

  @Test
  @DisplayName("RSDP of revision 2 with an XSDT, all right: nothing odd")
  void right() throws IOException {
    Files.write(tables.resolve("RSDP"), rsdp(2));
    Files.write(tables.resolve("XSDT"), Bytes.table("XSDT", 1, new Bytes().u64(0x3000, 0x4000)));
    assertEquals(List.of(), odd());
  }

  @Test
  @DisplayName("RSDP of revision 0, 20 bytes, with an RSDT alone: nothing odd")
  void old() throws IOException {
    Files.write(tables.resolve("RSDP"), rsdp(0));
    Files.write(tables.resolve("RSDT"), Bytes.table("RSDT", 1, new Bytes().u32(0x3000)));
    assertEquals(List.of(), odd());
  }

  @Test
  @DisplayName("wrong checksums of RSDP, XSDT and RSDT are told, each with its sum's place")
  void checksums() throws IOException {
    byte[] first = rsdp(2);
    first[10] ^= 1;
    Files.write(tables.resolve("RSDP"), first);
    byte[] xsdt = Bytes.table("XSDT", 1, new Bytes().u64(0x3000));
    xsdt[40] ^= 1;
    Files.write(tables.resolve("XSDT"), xsdt);
    byte[] rsdt = Bytes.table("RSDT", 1, new Bytes().u32(0x3000));
    rsdt[9] ^= 1;
    Files.write(tables.resolve("RSDT"), rsdt);
    List<String> odd = odd();
    assertEquals(3, odd.size(), odd::toString);
    assertEquals("checksum of the first 20 bytes of %s is wrong".formatted(at("RSDP")), odd.get(0));
    assertEquals(
        1, odd.stream().filter(o -> o.startsWith(at("XSDT") + " has a wrong checksum")).count());
    assertEquals(
        1, odd.stream().filter(o -> o.startsWith(at("RSDT") + " has a wrong checksum")).count());
  }

  @Test
  @DisplayName("the extended checksum, and a revision 2 that ends after 20 bytes")
  void extended() throws IOException {
    byte[] wrong = rsdp(2);
    wrong[24] ^= 1;
    Files.write(tables.resolve("RSDP"), wrong);
    assertEquals(List.of("extended checksum of %s is wrong".formatted(at("RSDP"))), odd());
    Files.write(tables.resolve("RSDP"), java.util.Arrays.copyOf(rsdp(2), 20));
    assertEquals(List.of("extended checksum of %s is wrong".formatted(at("RSDP"))), odd());
  }

  @Test
  @DisplayName("no RSDP at all: too short, another signature, empty")
  void none() throws IOException {
    byte[] other = rsdp(0);
    other[3] = '_';
    for (byte[] bytes : List.of(new byte[0], java.util.Arrays.copyOf(rsdp(0), 19), other)) {
      Files.write(tables.resolve("RSDP"), bytes);
      assertEquals(
          List.of("%s is no Root System Description Pointer".formatted(at("RSDP"))), odd());
    }
  }

  @Test
  @DisplayName("entries that do not fill the table: bytes at the end are named")
  void entries() throws IOException {
    Files.write(
        tables.resolve("XSDT"), Bytes.table("XSDT", 1, new Bytes().u64(0x3000).u32(0x4000)));
    Files.write(tables.resolve("RSDT"), Bytes.table("RSDT", 1, new Bytes().u32(0x3000).u16(1)));
    assertEquals(
        List.of(
            "RSDT has entries of 4 bytes; 2 bytes at the end are none",
            "XSDT has entries of 8 bytes; 4 bytes at the end are none"),
        odd().stream().sorted().toList());
  }

  @Test
  @DisplayName("an XSDT whose length lies is told and read no further than its file")
  void lengths() throws IOException {
    byte[] xsdt = Bytes.table("XSDT", 1, new Bytes().u64(0x3000));
    xsdt[4] = (byte) 200;
    Files.write(tables.resolve("XSDT"), xsdt);
    List<String> odd = odd();
    assertEquals(1, odd.size(), odd::toString);
    assertEquals(
        "%s states a length of 0xc8 over 44 bytes; the bytes that are there are read"
            .formatted(at("XSDT")),
        odd.getFirst());
  }

  @Test
  @DisplayName(
      "a table that is shorter than its file ends where it says, and what follows is no entry")
  void shorter() throws IOException {
    byte[] whole = Bytes.table("XSDT", 1, new Bytes().u64(0x3000));
    Files.write(tables.resolve("XSDT"), java.util.Arrays.copyOf(whole, whole.length + 3));
    List<String> odd = odd();
    assertEquals(
        List.of(
            "%s states a length of 44 over 47 bytes; what follows is passed over"
                .formatted(at("XSDT"))),
        odd);
  }
}
