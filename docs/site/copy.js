// The buttons of the consoles: each copies what is typed there. Without this file there are none.
for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
        await copy(button.dataset.copy);
        button.textContent = "copied";
        setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
}

async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    // A page that came over plain http from another computer has no clipboard, but may copy what is selected.
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
}
