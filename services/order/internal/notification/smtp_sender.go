package notification

import (
	"context"
	"time"

	"github.com/wneessen/go-mail"
)

const smtpTimeout = 15 * time.Second

// SMTPSender hands e-mails to a mail server. SMTP itself can't tell a repetition: after a crash between the
// server's answer and our note of it the e-mail goes out again, with the same Message-ID, by which mail
// providers drop it.
type SMTPSender struct {
	client *mail.Client
	from   string
	domain string
}

// SMTPSettings say which server and who is writing.
type SMTPSettings struct {
	Host, Username, Password, From string
	Port                           int
}

// NewSMTPSender uses TLS always; without a user name it does not log in.
func NewSMTPSender(settings SMTPSettings) (*SMTPSender, error) {
	options := []mail.Option{mail.WithPort(settings.Port), mail.WithTLSPolicy(mail.TLSMandatory), mail.WithTimeout(smtpTimeout)}
	if settings.Port == mail.DefaultPortSSL {
		options = append(options, mail.WithSSL())
	}
	if settings.Username != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
			mail.WithUsername(settings.Username), mail.WithPassword(settings.Password))
	}
	client, err := mail.NewClient(settings.Host, options...)
	if err != nil {
		return nil, err
	}
	return &SMTPSender{client, settings.From, settings.Host}, nil
}

// Send delivers one e-mail to the mail server.
func (s *SMTPSender) Send(ctx context.Context, message Message) error {
	letter, err := s.compose(message)
	if err != nil {
		return err
	}
	return s.client.DialAndSendWithContext(ctx, letter)
}

func (s *SMTPSender) compose(message Message) (*mail.Msg, error) {
	letter := mail.NewMsg()
	if err := letter.From(s.from); err != nil {
		return nil, err
	}
	if err := letter.To(message.To); err != nil {
		return nil, err
	}
	letter.SetMessageIDWithValue(message.Key + "@" + s.domain)
	letter.Subject(message.Subject)
	letter.SetBodyString(mail.TypeTextPlain, message.Text)
	return letter, nil
}
