package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.testkit.SecondSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("IHI 0070: layouts of registers, commands and events against second sources")
class SmmuLayoutsTest {
  @ParameterizedTest(name = "{0}")
  @DisplayName("IHI 0070 6.3: register fields as others have them")
  @CsvSource({"linux-registers.txt", "qemu-registers.txt"})
  void registers(String table) throws IOException {
    compare(
        table,
        name ->
            SmmuRegisters.MAP.registers().stream()
                .filter(r -> r.name().equals("SMMU_" + name))
                .map(Register::layout)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no register " + name)));
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("IHI 0070 4: command fields as others have them")
  @CsvSource({"linux-commands.txt", "qemu-commands.txt"})
  void commands(String table) throws IOException {
    Map<String, Layout> layouts =
        Map.ofEntries(
            Map.entry("ANY_W0", CommandLayout.ANY_W0),
            Map.entry("PREFETCH_W0", CommandLayout.PREFETCH_W0),
            Map.entry("PREFETCH_W1", CommandLayout.PREFETCH_W1),
            Map.entry("CFGI_W0", CommandLayout.CFGI_W0),
            Map.entry("CFGI_W1", CommandLayout.CFGI_W1),
            Map.entry("TLBI_W0", CommandLayout.TLBI_W0),
            Map.entry("TLBI_W1", CommandLayout.TLBI_W1),
            Map.entry("ATC_INV_W0", CommandLayout.ATC_INV_W0),
            Map.entry("ATC_INV_W1", CommandLayout.ATC_INV_W1),
            Map.entry("PRI_RESP_W0", CommandLayout.PRI_RESP_W0),
            Map.entry("PRI_RESP_W1", CommandLayout.PRI_RESP_W1),
            Map.entry("RESUME_W0", CommandLayout.RESUME_W0),
            Map.entry("RESUME_W1", CommandLayout.RESUME_W1),
            Map.entry("SYNC_W0", CommandLayout.SYNC_W0),
            Map.entry("SYNC_W1", CommandLayout.SYNC_W1));
    compare(table, name -> java.util.Objects.requireNonNull(layouts.get(name), name));
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("IHI 0070 7.3: event fields as others have them")
  @CsvSource({"linux-events.txt", "openvmm-events.txt"})
  void events(String table) throws IOException {
    Map<String, Layout> layouts =
        Map.of(
            "W0", EventLayout.W0,
            "W1", EventLayout.W1,
            "W2", EventLayout.W2,
            "W3_IPA", EventLayout.W3_IPA,
            "W3_FETCH", EventLayout.W3_FETCH);
    compare(table, name -> java.util.Objects.requireNonNull(layouts.get(name), name));
  }

  @ParameterizedTest(name = "SMMU_{0} at {1}")
  @DisplayName("IHI 0070 6.2: register offsets and sizes as Linux has them")
  @CsvSource({
    "IDR0,0x0,4",
    "IDR1,0x4,4",
    "IDR3,0xc,4",
    "IDR5,0x14,4",
    "IIDR,0x18,4",
    "CR0,0x20,4",
    "CR0ACK,0x24,4",
    "CR1,0x28,4",
    "CR2,0x2c,4",
    "GBPA,0x44,4",
    "IRQ_CTRL,0x50,4",
    "IRQ_CTRLACK,0x54,4",
    "GERROR,0x60,4",
    "GERRORN,0x64,4",
    "GERROR_IRQ_CFG0,0x68,8",
    "GERROR_IRQ_CFG1,0x70,4",
    "GERROR_IRQ_CFG2,0x74,4",
    "STRTAB_BASE,0x80,8",
    "STRTAB_BASE_CFG,0x88,4",
    "CMDQ_BASE,0x90,8",
    "CMDQ_PROD,0x98,4",
    "CMDQ_CONS,0x9c,4",
    "EVENTQ_BASE,0xa0,8",
    "EVENTQ_PROD,0x100a8,4",
    "EVENTQ_CONS,0x100ac,4",
    "EVENTQ_IRQ_CFG0,0xb0,8",
    "EVENTQ_IRQ_CFG1,0xb8,4",
    "EVENTQ_IRQ_CFG2,0xbc,4",
    "PRIQ_BASE,0xc0,8",
    "PRIQ_PROD,0x100c8,4",
    "PRIQ_CONS,0x100cc,4",
    "PRIQ_IRQ_CFG0,0xd0,8",
    "PRIQ_IRQ_CFG1,0xd8,4",
    "PRIQ_IRQ_CFG2,0xdc,4"
  })
  void offsets(String name, String offset, int bytes) {
    Register register =
        SmmuRegisters.MAP.find(Long.decode(offset)).orElseThrow(AssertionError::new).register();
    assertEquals("SMMU_" + name, register.name());
    assertEquals(bytes, register.bytes());
    assertEquals(Long.decode(offset), register.offset());
  }

  @ParameterizedTest(name = "{1} is {0}")
  @DisplayName("IHI 0070 4: opcodes as Linux and QEMU have them")
  @CsvSource({
    "0x01,CMD_PREFETCH_CONFIG", "0x02,CMD_PREFETCH_ADDR", "0x03,CMD_CFGI_STE",
        "0x04,CMD_CFGI_STE_RANGE",
    "0x05,CMD_CFGI_CD", "0x06,CMD_CFGI_CD_ALL", "0x10,CMD_TLBI_NH_ALL", "0x11,CMD_TLBI_NH_ASID",
    "0x12,CMD_TLBI_NH_VA", "0x13,CMD_TLBI_NH_VAA", "0x18,CMD_TLBI_EL3_ALL", "0x1a,CMD_TLBI_EL3_VA",
    "0x20,CMD_TLBI_EL2_ALL", "0x21,CMD_TLBI_EL2_ASID", "0x22,CMD_TLBI_EL2_VA",
        "0x23,CMD_TLBI_EL2_VAA",
    "0x28,CMD_TLBI_S12_VMALL", "0x2a,CMD_TLBI_S2_IPA", "0x30,CMD_TLBI_NSNH_ALL", "0x40,CMD_ATC_INV",
    "0x41,CMD_PRI_RESP", "0x44,CMD_RESUME", "0x45,CMD_STALL_TERM", "0x46,CMD_SYNC"
  })
  void opcodes(String code, String name) {
    assertEquals(name, CommandLayout.OPCODE.names().nameOf(Long.decode(code)));
  }

  @ParameterizedTest(name = "{1} is {0}")
  @DisplayName("IHI 0070 7.3: event numbers as QEMU, Linux and (F_VMS_FETCH) Fiasco have them")
  @CsvSource({
    "0x01,F_UUT",
    "0x02,C_BAD_STREAMID",
    "0x03,F_STE_FETCH",
    "0x04,C_BAD_STE",
    "0x05,F_BAD_ATS_TREQ",
    "0x06,F_STREAM_DISABLED",
    "0x07,F_TRANSL_FORBIDDEN",
    "0x08,C_BAD_SUBSTREAMID",
    "0x09,F_CD_FETCH",
    "0x0a,C_BAD_CD",
    "0x0b,F_WALK_EABT",
    "0x10,F_TRANSLATION",
    "0x11,F_ADDR_SIZE",
    "0x12,F_ACCESS",
    "0x13,F_PERMISSION",
    "0x20,F_TLB_CONFLICT",
    "0x21,F_CFG_CONFLICT",
    "0x24,E_PAGE_REQUEST",
    "0x25,F_VMS_FETCH"
  })
  void eventNumbers(String number, String name) {
    assertEquals(name, EventLayout.EVENT_ID.names().nameOf(Long.decode(number)));
  }

  private interface Find {
    Layout layout(String name);
  }

  private static void compare(String table, Find find) throws IOException {
    SecondSource source = SecondSource.read(SmmuLayoutsTest.class, table);
    List<String> differences = new ArrayList<>();
    for (SecondSource.Row row : source.rows()) {
      String[] names = row.name().split("\\.", -1);
      Field field =
          find.layout(names[0]).fields().stream()
              .filter(f -> f.name().equals(names[1]))
              .findFirst()
              .orElseThrow(() -> new AssertionError("no field " + row.name()));
      if (field.msb() != row.first() || field.lsb() != row.last()) {
        differences.add(
            "%s is %d:%d here, %d:%d in %s"
                .formatted(
                    row.name(),
                    field.msb(),
                    field.lsb(),
                    row.first(),
                    row.last(),
                    source.publication()));
      }
    }
    assertTrue(differences.isEmpty(), () -> String.join("\n", differences));
  }
}
