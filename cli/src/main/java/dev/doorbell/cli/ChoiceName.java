package dev.doorbell.cli;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A choice by the name that one types: lower case, with dashes.
record ChoiceName<E extends Enum<E>>(Class<E> choices) implements ITypeConverter<E> {
  @Override
  public E convert(String text) {
    return Arrays.stream(choices.getEnumConstants())
        .filter(choice -> typed(choice).equalsIgnoreCase(text))
        .findFirst()
        .orElseThrow(() ->
            new TypeConversionException(
                "'%s' is none of %s"
                    .formatted(
                        text,
                        Arrays.stream(choices.getEnumConstants())
                            .map(ChoiceName::typed)
                            .collect(Collectors.joining(", ")))));
  }

  private static String typed(Enum<?> choice) {
    return choice.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
