package dev.doorbell.hw.smmuv2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.testkit.SecondSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("IHI 0062: registers against second sources")
class SmmuV2LayoutsTest {
  private static final Map<String, RegisterMap> MAPS =
      Map.of("GR0", Gr0Registers.MAP, "GR1", Gr1Registers.MAP, "CB", BankRegisters.MAP);

  /// Forms of one register, by the field of another name.
  private static final Map<String, Field> FORMS =
      Map.of(
          "TCR32.EAE", BankRegisters.TCR32_EAE,
          "VTCR.PASize", BankRegisters.VTCR_PASIZE,
          "VTCR.SL0", BankRegisters.VTCR_SL0,
          "VTCR.TG0", BankRegisters.VTCR_TG0);

  @ParameterizedTest
  @DisplayName("IHI 0062 10 to 13: fields as others have them")
  @ValueSource(strings = {"linux.txt", "sel4-openbsd.txt"})
  void fields(String table) throws IOException {
    List<SecondSource.Row> rows = SecondSource.read(SmmuV2Model.class, table).rows();
    assertTrue(rows.size() > 40);
    for (SecondSource.Row row : rows) {
      Field field = FORMS.get(row.name());
      if (field == null) {
        String[] path = row.name().split("\\.", 3);
        String register = (path[0].equals("CB") ? "SMMU_CBn_" : "SMMU_") + path[1];
        field =
            MAPS.get(path[0]).registers().stream()
                .filter(r -> r.name().equals(register))
                .flatMap(r -> r.layout().fields().stream())
                .filter(f -> f.name().equals(path[2]))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no field " + row.name()));
      }
      assertEquals(List.of(row.first(), row.last()), List.of(field.msb(), field.lsb()), row.name());
    }
  }

  @ParameterizedTest(name = "{0} {1} at {2}")
  @DisplayName("IHI 0062 9.1: offsets and sizes as Linux and seL4 have them")
  @CsvSource({
    "GR0,sCR0,0x0,4",
    "GR0,sCR2,0x8,4",
    "GR0,sACR,0x10,4",
    "GR0,IDR0,0x20,4",
    "GR0,IDR1,0x24,4",
    "GR0,IDR2,0x28,4",
    "GR0,IDR7,0x3c,4",
    "GR0,sGFAR,0x40,8",
    "GR0,sGFSR,0x48,4",
    "GR0,sGFSRRESTORE,0x4c,4",
    "GR0,sGFSYNR0,0x50,4",
    "GR0,sGFSYNR1,0x54,4",
    "GR0,TLBIVMID,0x64,4",
    "GR0,TLBIALLNSNH,0x68,4",
    "GR0,TLBIALLH,0x6c,4",
    "GR0,sTLBGSYNC,0x70,4",
    "GR0,sTLBGSTATUS,0x74,4",
    "GR0,TLBIVMIDS1,0xb8,4",
    "GR0,SMR,0x800,4",
    "GR0,S2CR,0xc00,4",
    "GR1,CBAR,0x0,4",
    "GR1,CBFRSYNRA,0x400,4",
    "GR1,CBA2R,0x800,4",
    "CB,SCTLR,0x0,4",
    "CB,ACTLR,0x4,4",
    "CB,RESUME,0x8,4",
    "CB,TCR2,0x10,4",
    "CB,TTBR0,0x20,8",
    "CB,TTBR1,0x28,8",
    "CB,TCR,0x30,4",
    "CB,CONTEXTIDR,0x34,4",
    "CB,MAIR0,0x38,4",
    "CB,MAIR1,0x3c,4",
    "CB,FSR,0x58,4",
    "CB,FSRRESTORE,0x5c,4",
    "CB,FAR,0x60,8",
    "CB,FSYNR0,0x68,4",
    "CB,FSYNR1,0x6c,4",
    "CB,IPAFAR,0x70,8",
    "CB,TLBIVA,0x600,8",
    "CB,TLBIVAA,0x608,8",
    "CB,TLBIASID,0x610,4",
    "CB,TLBIALL,0x618,4",
    "CB,TLBIVAL,0x620,8",
    "CB,TLBIVAAL,0x628,8",
    "CB,TLBIIPAS2,0x630,8",
    "CB,TLBIIPAS2L,0x638,8",
    "CB,TLBSYNC,0x7f0,4",
    "CB,TLBSTATUS,0x7f4,4"
  })
  void offsets(String page, String name, String offset, int bytes) {
    Register register =
        MAPS.get(page).find(Long.decode(offset)).orElseThrow(AssertionError::new).register();
    assertEquals((page.equals("CB") ? "SMMU_CBn_" : "SMMU_") + name, register.name());
    assertEquals(bytes, register.bytes());
    assertEquals(Long.decode(offset), register.offset());
  }
}
