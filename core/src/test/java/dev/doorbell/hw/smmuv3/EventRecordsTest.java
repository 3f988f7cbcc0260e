package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Ipa;
import dev.doorbell.address.Pa;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("IHI 0070 7.3: what a record in memory says")
class EventRecordsTest {
  private static final long STREAM = 0x18L << 32;

  private static SmmuEvent.Header header(int id, String name, OptionalInt substream) {
    return new SmmuEvent.Header(id, name, 0x18, substream);
  }

  @ParameterizedTest
  @CsvSource({"3, F_STE_FETCH", "9, F_CD_FETCH", "0x25, F_VMS_FETCH"})
  @DisplayName("7.3.4, 7.3.10: a fetch of configuration names the address and no input")
  void fetch(String number, String name) {
    int id = Integer.decode(number);
    assertEquals(
        new SmmuEvent.FetchFault(
            header(id, name, OptionalInt.empty()), new Pa(0x4_0000_1230L), Optional.empty()),
        EventRecords.decode(STREAM | id, 0x7, 0x5555, 0x4_0000_1230L));
  }

  @Test
  @DisplayName("7.3.12 F_WALK_EABT: the address of the table and what the device emitted")
  void walk() {
    assertEquals(
        new SmmuEvent.FetchFault(
            header(0xb, "F_WALK_EABT", OptionalInt.of(5)),
            new Pa(0x9000_0ff8L),
            Optional.of(new Iova(0xffff_1234L))),
        EventRecords.decode(
            STREAM | 5L << 12 | 1L << 11 | 0xb, 1L << 35, 0xffff_1234L, 0x9000_0ff8L));
  }

  @Test
  @DisplayName("7.3.9 C_BAD_SUBSTREAMID: the SubstreamID counts without SSV")
  void badSubstream() {
    assertEquals(
        new SmmuEvent.ConfigurationFault(header(8, "C_BAD_SUBSTREAMID", OptionalInt.of(0x321))),
        EventRecords.decode(STREAM | 0x321L << 12 | 8, 0, 0, 0));
  }

  @Test
  @DisplayName("7.3.13 F_TRANSLATION of stage 2: direction, class and the IPA's page")
  void stage2() {
    assertEquals(
        new SmmuEvent.AccessFault(
            header(0x10, "F_TRANSLATION", OptionalInt.empty()),
            new Iova(0x1234),
            true,
            true,
            "TT",
            Optional.of(new Ipa(0x8_0000_1000L))),
        EventRecords.decode(STREAM | 0x10, 1L << 40 | 1L << 39 | 1L << 35, 0x1234, 0x8_0000_1000L));
  }

  @Test
  @DisplayName("7.3.20: a record that is not known is kept word for word")
  void unknown() {
    assertEquals(
        new SmmuEvent.Unknown(
            header(0xe0, EventLayout.EVENT_ID.names().nameOf(0xe0), OptionalInt.empty()),
            List.of(STREAM | 0xe0, 1L, 2L, 3L)),
        EventRecords.decode(STREAM | 0xe0, 1, 2, 3));
  }
}
