package dev.doorbell.hw.papr;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.testkit.SecondSource;
import java.io.IOException;
import java.lang.reflect.Field;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class CallNumbersTest {
  /// What QEMU has no number for, and why.
  private static final Map<String, Long> LEFT_OUT =
      Map.of(
          "CHANGE_MSI32", 5L, // Linux 6.12 pseries/msi.c: RTAS_CHANGE_32MSI_FN
          "CHANGE_MSIX32", 6L, // Linux 6.12 pseries/msi.c: RTAS_CHANGE_32MSIX_FN
          "INDIRECT_MOST", 512L, // a page of eight bytes each
          "H_STATE", -75L, // Linux 6.12 asm/hvcall.h
          "MASKED", 0xffL, // in the text of spapr_xive.c alone
          "PRIORITIES", 8L);

  @Test
  @DisplayName(
      "numbers of calls, function codes, options and statuses are those of another publication, all of them")
  void secondSource() throws IOException, IllegalAccessException {
    Map<String, Long> ours = new TreeMap<>();
    for (Class<?> c : new Class<?>[] {Calls.class, XiveCalls.class}) {
      for (Field f : c.getDeclaredFields()) {
        f.setAccessible(true);
        if (f.getType() == long.class || f.getType() == int.class) {
          ours.put(f.getName(), f.getType() == long.class ? f.getLong(null) : f.getInt(null));
        }
      }
    }
    Map<String, Long> theirs = new TreeMap<>(LEFT_OUT);
    for (SecondSource.Row row : SecondSource.read(Calls.class, "qemu-calls.txt").rows()) {
      theirs.put(row.name(), (long) row.first());
    }
    assertEquals(theirs, ours);
  }
}
