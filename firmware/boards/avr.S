; The input of avr.c, in flash: the file whose name is BOARD_INPUT.
    .section .progmem.input, "a", @progbits
    .global board_input
board_input:
    .incbin BOARD_INPUT
    .global board_input_end
board_input_end:
